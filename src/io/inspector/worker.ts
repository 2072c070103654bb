/**
 * The thread that answers the inspector's questions: it reads the log beside the traffic, so that the gateway's own thread
 * only passes questions and answers on. It is started by `inquiry.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { backendMachine } from '../../actors/backend.ts';
import type { Chart } from './api.ts';
import { definitionOf } from './chart/definition.ts';
import { layOut } from './chart/layout.ts';
import { type Answerer, createAnswerer } from './history/answers.ts';
import { followRecording, readNothing, readRecording } from './history/reading.ts';
import { GoneError } from './history/stretches.ts';
import { type Asked, type Reply, refusal, type ThreadQuestion, type WorkerSetup } from './thread.ts';

const setup: WorkerSetup = workerData;
const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a thread only; see inquiry.ts');

const answerer = openLog(setup);
let chart: Promise<Chart> | undefined;

port.on('message', ({ id, question }: Asked) => {
  answer(question).then(
    (reply) => port.postMessage({ id, reply }),
    (error: unknown) => port.postMessage({ id, reply: failure(error) }),
  );
});

async function openLog({ path, isLive, source }: WorkerSetup): Promise<Answerer> {
  const reading = path === null ? readNothing() : isLive ? followRecording(path) : await readRecording(path);
  return createAnswerer(reading, source);
}

async function answer(question: ThreadQuestion): Promise<Reply> {
  if (question.ask === 'chart') {
    chart ??= layOut(definitionOf(backendMachine));
    return json(await chart);
  }
  const found = await (await answerer).answer(question);
  return found === undefined ? refusal(404, 'nothing_yet', 'The log has no entry yet.') : json(found);
}

function json(body: object | null): Reply {
  return { status: 200, body: JSON.stringify(body) };
}

function failure(error: unknown): Reply {
  if (error instanceof GoneError) return refusal(410, 'gone', error.message);
  return refusal(
    500,
    'internal_error',
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  );
}
