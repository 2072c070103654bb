/**
 * The way from the gateway's thread to the one that answers: it is started with the first question and ended some time
 * after the last, so that it costs nothing while nobody looks.
 */
import { Worker } from 'node:worker_threads';
import type { Question } from './questions.ts';
import { createStoryteller } from './storyteller.ts';
import {
  type Answered,
  type Asked,
  type Reply,
  refusal,
  type ThreadQuestion,
  threadUrl,
  type WorkerSetup,
} from './thread.ts';

export type Inquiry = {
  /** Never rejects: what goes wrong is in the reply. */
  ask(question: Question): Promise<Reply>;
  /** Whether the thread runs. */
  readonly isAwake: boolean;
  close(): Promise<void>;
};

export type InquiryOptions = {
  /** The log: a folder or a file; null if nothing is recorded. */
  readonly path: string | null;
  /** What else the thread begins with, asked for when it is started. */
  readonly setup: () => Omit<WorkerSetup, 'path'>;
  /** How long the thread outlives the last question; it does until the end if this is undefined. */
  readonly idleMs: number | undefined;
};

/** More are refused: a page asks a few at a time. */
const MOST_UNDER_WAY = 32;
/** A log that needs more ends the thread, not the gateway. */
const MEMORY_MIB = 1024;

type Thread = { readonly worker: Worker; readonly waiting: Map<number, (reply: Reply) => void> };

export function createInquiry({ path, setup, idleMs }: InquiryOptions): Inquiry {
  let thread: Thread | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;
  let isClosed = false;
  const storyteller = createStoryteller(path);

  const end = async () => {
    const ended = thread;
    thread = undefined;
    clearTimeout(idle);
    if (ended === undefined) return;
    await ended.worker.terminate();
  };

  const rest = (worker: Worker) => {
    worker.unref();
    if (idleMs !== undefined && !isClosed) idle = setTimeout(() => void end(), idleMs).unref();
  };

  const start = (): Thread => {
    const started = startThread({ ...setup(), path }, () => {
      if (thread === started) thread = undefined;
    });
    return started;
  };

  const put = (question: ThreadQuestion): Promise<Reply> => {
    thread ??= start();
    const { worker, waiting } = thread;
    if (waiting.size >= MOST_UNDER_WAY) {
      return Promise.resolve(refusal(503, 'busy', 'Too many questions are under way; ask again soon.'));
    }
    clearTimeout(idle);
    lastId += 1;
    return post(thread, { id: lastId, question }, () => rest(worker));
  };

  return {
    async ask(question) {
      if (isClosed) return refusal(503, 'closing', 'The gateway is stopping.');
      try {
        return await (question.ask === 'request' ? storyteller.tell(question.id) : put(question));
      } catch (error) {
        // The system may have no thread to give.
        return refusal(
          500,
          'inspector_failed',
          `The inspector's thread could not be asked: ${String(error)}`,
        );
      }
    },
    get isAwake() {
      return thread !== undefined;
    },
    async close() {
      isClosed = true;
      await Promise.all([end(), storyteller.close()]);
    },
  };
}

/** @param onRest called when the last question under way has been answered */
function post({ worker, waiting }: Thread, asked: Asked, onRest: () => void): Promise<Reply> {
  return new Promise((resolve) => {
    waiting.set(asked.id, (reply) => {
      waiting.delete(asked.id);
      // An open question keeps the process alive, the thread as such does not.
      if (waiting.size === 0) onRest();
      resolve(reply);
    });
    worker.ref();
    worker.postMessage(asked);
  });
}

function startThread(setup: WorkerSetup, onEnd: () => void): Thread {
  const waiting: Thread['waiting'] = new Map();
  const worker = new Worker(threadUrl('worker'), {
    workerData: setup,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
  });
  let failure = 'it was ended';
  worker.on('message', ({ id, reply }: Answered) => waiting.get(id)?.(reply));
  worker.on('error', (error) => {
    failure = error instanceof Error ? error.message : String(error);
  });
  worker.on('exit', () => {
    onEnd();
    for (const settle of [...waiting.values()]) {
      settle(refusal(500, 'inspector_failed', `The inspector's thread gave no answer: ${failure}`));
    }
  });
  worker.unref();
  return { worker, waiting };
}
