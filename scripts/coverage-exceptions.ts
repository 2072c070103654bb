/** What `npm run coverage` judges, and the places that no test comes to, each with the reason why none can. */
import type { Exception } from './coverage-judge.ts';

export const JUDGED: readonly string[] = ['src/actors/**/*.ts', 'src/streams/**/*.ts'];

export const EXCEPTIONS: readonly Exception[] = [];
