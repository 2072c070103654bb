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
import { readRecording } from './history/reading.ts';
import { GoneError } from './history/stretches.ts';
import type { Question } from './questions.ts';
import type { Asked, Reply, WorkerSetup } from './thread.ts';

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

async function openLog({ path, source }: WorkerSetup): Promise<Answerer> {
  return createAnswerer(await readRecording(path), source);
}

async function answer(question: Question): Promise<Reply> {
  if (question.ask === 'chart') {
    chart ??= layOut(definitionOf(backendMachine));
    return json(await chart);
  }
  if (question.ask === 'request') return problem(501, 'not_yet', 'not yet');
  const found = await (await answerer).answer(question);
  return found === undefined ? problem(404, 'nothing_yet', 'The log has no entry yet.') : json(found);
}

function json(body: object | null): Reply {
  return { status: 200, body: JSON.stringify(body) };
}

function failure(error: unknown): Reply {
  if (error instanceof GoneError) return problem(410, 'gone', error.message);
  return problem(
    500,
    'internal_error',
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  );
}

function problem(status: number, code: string, message: string): Reply {
  return { status, body: JSON.stringify({ error: { code, message } }) };
}
