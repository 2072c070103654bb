/**
 * The life of one request in the mock: recorded, planned (which script, which fault), read, answered or failed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readBody } from './body.ts';
import { answerControl, answerHealth, type Commands } from './control.ts';
import type { Plan, Planner } from './plan.ts';
import type { RecordedRequest, Recorder } from './recorder.ts';
import { beSilent, type Exchange, sendError, sendStatusFault } from './reply.ts';
import { answer, type Model, pathOf } from './routes.ts';

export type HandlerParts = {
  readonly name: string;
  readonly planner: Planner;
  readonly recorder: Recorder;
  readonly model: Model;
  readonly commands: Commands;
};

/** The listener for `node:http`. What goes wrong inside is a mistake in the mock, and ends the process loudly. */
export function createHandler(
  parts: HandlerParts,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { name, planner, recorder, model, commands } = parts;
  const usedSockets = new WeakSet<Socket>();

  function exchangeOf(
    request: IncomingMessage,
    response: ServerResponse,
    plan: Plan,
    record: RecordedRequest | null,
  ): Exchange {
    return { name, request, response, recorder, record, ...plan };
  }

  return (request, response) => {
    const onReusedSocket = usedSockets.has(request.socket);
    if (!onReusedSocket) usedSockets.add(request.socket);

    const path = pathOf(request.url ?? '');
    const unplanned: Plan = { script: planner.script, fault: null };
    if (path === '/health') {
      void answerHealth(exchangeOf(request, response, unplanned, null));
    } else if (path === '/mock' || path.startsWith('/mock/')) {
      void answerControl(exchangeOf(request, response, unplanned, null), path, commands);
    } else {
      const record = recorder.begin(request, onReusedSocket);
      response.once('close', () => {
        recorder.ended(record, response.writableFinished ? 'completed' : 'aborted');
      });
      const planned = planner.next(request.headers, onReusedSocket);
      const exchange = exchangeOf(request, response, planned.ok ? planned.plan : unplanned, record);
      if (planned.ok) void serve(exchange, record, model);
      else void sendError(exchange, 400, 'invalid_mock_header', planned.problem);
    }
  };
}

async function serve(exchange: Exchange, record: RecordedRequest, model: Model): Promise<void> {
  const { fault, request, recorder } = exchange;
  if (fault?.kind === 'early-status') return sendStatusFault(exchange, fault);
  if (fault?.kind === 'no-read') return beSilent(exchange, fault);

  const body = await readBody(request);
  if (!body) return;
  recorder.bodyArrived(record, body.content, body.bytes);

  switch (fault?.kind) {
    case 'hang':
    case 'reset':
    case 'close':
    case 'garbage':
      return beSilent(exchange, { kind: fault.kind });
    case 'status':
      return sendStatusFault(exchange, fault);
    default:
      return answer(exchange, body, model);
  }
}
