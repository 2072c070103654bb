/** What the gateway's thread and the inspector's say to one another. */
import type { Overview } from './api.ts';
import type { Question } from './questions.ts';

export type WorkerSetup = {
  /** The log: a folder or a file. */
  readonly path: string;
  readonly source: Overview['source'];
};

export type Asked = { readonly id: number; readonly question: Question };

/** An answer as it goes out: a status and JSON. */
export type Reply = { readonly status: number; readonly body: string };

export type Answered = { readonly id: number; readonly reply: Reply };
