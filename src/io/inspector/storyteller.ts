/** Has stories of requests told, one at a time; each has a thread of its own, which ends with it. */
import { Worker } from 'node:worker_threads';
import type { RequestStory } from './api.ts';
import { type Reply, refusal, threadUrl } from './thread.ts';

export type Storyteller = {
  /** Rejects if no thread can be started. */
  tell(request: string): Promise<Reply>;
  close(): Promise<void>;
};

const MEMORY_MIB = 1024;

const NO_LOG: RequestStory = {
  isFound: false,
  lines: ['nothing is recorded: the event log is off'],
  arrivals: [],
};

/** @param path the log; null if there is none */
export function createStoryteller(path: string | null): Storyteller {
  let telling: Worker | undefined;
  return {
    async tell(request) {
      if (path === null) return { status: 200, body: JSON.stringify(NO_LOG) };
      if (telling !== undefined) {
        return refusal(503, 'busy', 'Another request is being looked for; ask again soon.');
      }
      const worker = new Worker(threadUrl('story'), {
        workerData: { path, request },
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
      });
      telling = worker;
      const reply = await new Promise<Reply>((resolve) => {
        worker.once('message', (story: RequestStory) =>
          resolve({ status: 200, body: JSON.stringify(story) }),
        );
        worker.once('error', (error) => resolve(refusal(500, 'inspector_failed', String(error))));
        worker.once('exit', () => resolve(refusal(503, 'closing', 'The inspector is being closed.')));
      });
      telling = undefined;
      await worker.terminate();
      return reply;
    },
    async close() {
      await telling?.terminate();
    },
  };
}
