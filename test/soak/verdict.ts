/** How a fault run ended. */
export type Verdict = {
  readonly isClean: boolean;
  /** One sentence each. */
  readonly faults: readonly string[];
};
