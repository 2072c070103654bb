/** What a deliberate fault is: text of one file in the place of other text. */
export type Mutation = {
  readonly name: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
};
