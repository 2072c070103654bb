/** What the gateway's thread and the inspector's say to one another. */
import type { Overview } from './api.ts';
import type { Question } from './questions.ts';

export type WorkerSetup = {
  /** The log: a folder or a file; null if nothing is recorded. */
  readonly path: string | null;
  /** Whether it is followed as it grows; it is a folder then, which may be empty still. */
  readonly isLive: boolean;
  readonly source: Overview['source'];
};

/** What the thread is asked; the story of a request is told by one of its own. */
export type ThreadQuestion = Exclude<Question, { ask: 'request' }>;

export type Asked = { readonly id: number; readonly question: ThreadQuestion };

/** An answer as it goes out: a status and JSON. */
export type Reply = { readonly status: number; readonly body: string };

export type Answered = { readonly id: number; readonly reply: Reply };

export type StorySetup = { readonly path: string; readonly request: string };

/** The source of a thread: as it is written, or what it is compiled to. */
export function threadUrl(name: string): URL {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${suffix}`, import.meta.url);
}

/** The answer where none can be given. */
export function refusal(status: number, code: string, message: string): Reply {
  return { status, body: JSON.stringify({ error: { code, message } }) };
}
