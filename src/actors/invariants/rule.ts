/** The types of the rules: functions that look at the core and say what is wrong, if anything is. */
import type { Core } from '../core.ts';
import type { Decision, Fact } from '../events.ts';

/** Judges a moment by itself. @returns what is wrong, in words */
export type MomentRule = (core: Core) => string | undefined;

/** Judges what a step has decided, by the state that it led to. */
export type StepRule = (core: Core, fact: Fact, decisions: readonly Decision[]) => string | undefined;

/** Rules that need to remember what was: it sees every step from the first, and adds what is wrong to `breaches`. */
export type Memory = {
  follow(core: Core, fact: Fact, decisions: readonly Decision[], breaches: string[]): void;
};
