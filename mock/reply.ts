/**
 * Answering one request: the head with its scripted headers, and a body that is whole or in pieces, with the
 * faults that concern an answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BreakFault, Fault, SilentFault, StatusFault } from './faults.ts';
import type { RecordedRequest, Recorder } from './recorder.ts';
import type { MockScript } from './script.ts';
import { byteByByte, gone, type Pace, type Piece, writePieces } from './stream.ts';

/** One request and all that its answer depends on. */
export type Exchange = {
  readonly name: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly script: MockScript;
  readonly fault: Fault | null;
  readonly recorder: Recorder;
  /** Null for health and control calls, which are not recorded. */
  readonly record: RecordedRequest | null;
};

const JSON_TYPE = 'application/json';

/** Into how many parts an unstreamed body is cut when a fault is to break it off. */
const PARTS = 8;
const GARBAGE = Buffer.from('\u0000\u0016\u0003 this is not HTTP \u00ff\u00fe\r\n\r\n', 'latin1');

/** Sends a whole body; the fast path of the benchmarks. */
export async function sendWhole(
  exchange: Exchange,
  status: number,
  body: string,
  moreHeaders: readonly string[] = [],
): Promise<void> {
  const { response } = exchange;
  if (response.destroyed) return;
  if (status === 204 || status === 304) {
    response.writeHead(status, headersOf(exchange, null, null, moreHeaders)).end();
    return;
  }
  const bytes = Buffer.byteLength(body);
  response.writeHead(status, headersOf(exchange, JSON_TYPE, bytes, moreHeaders));
  if (isBreakFault(exchange.fault) || exchange.fault?.kind === 'drip')
    await sendBody(exchange, partsOf(body), null);
  else response.end(body);
}

/** Sends the head of a body in pieces; `bytes` when its length is known beforehand. */
export function sendHead(exchange: Exchange, contentType: string, bytes: number | null): void {
  if (exchange.response.destroyed || exchange.response.headersSent) return;
  exchange.response.writeHead(200, headersOf(exchange, contentType, bytes, []));
}

/** Sends the pieces of a body after its head, `gapMs` apart (null: as fast as the peer reads). */
export async function sendBody(
  exchange: Exchange,
  pieces: Iterable<Piece>,
  gapMs: number | null,
): Promise<void> {
  const { fault, response } = exchange;
  if (fault?.kind === 'drip') {
    await writePieces(response, byteByByte(pieces), { gapMs: fault.gapMs, breakFault: null });
    return;
  }
  const breakFault = isBreakFault(fault) ? fault : null;
  const pace: Pace = { gapMs, breakFault };
  if ((await writePieces(response, pieces, pace)) !== 'broken' || !breakFault) return;
  switch (breakFault.kind) {
    case 'hang-after':
      return gone(response);
    case 'reset-after':
      return breakSocket(exchange, 'reset');
    case 'cut-after':
      return breakSocket(exchange, 'close');
  }
}

/** Sends an error in OpenAI's shape. */
export function sendError(
  exchange: Exchange,
  status: number,
  code: string,
  message: string,
  moreHeaders: readonly string[] = [],
): Promise<void> {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  const error = { message: `${exchange.name}: ${message}`, type, code, param: null };
  return sendWhole(exchange, status, JSON.stringify({ error }), moreHeaders);
}

/** Sends the status a fault asks for. */
export function sendStatusFault(exchange: Exchange, fault: StatusFault): Promise<void> {
  const retryAfter = fault.retryAfterS === null ? [] : ['Retry-After', String(fault.retryAfterS)];
  return sendError(exchange, fault.status, 'mock_fault', `status ${fault.status} on command`, retryAfter);
}

/** Does what a fault asks for in place of an answer. */
export function beSilent(exchange: Exchange, fault: SilentFault): Promise<void> {
  switch (fault.kind) {
    case 'hang':
    case 'no-read':
      return gone(exchange.response);
    case 'reset':
      breakSocket(exchange, 'reset');
      break;
    case 'close':
      breakSocket(exchange, 'close');
      break;
    case 'garbage':
      exchange.request.socket.write(GARBAGE);
      breakSocket(exchange, 'close');
      break;
  }
  return Promise.resolve();
}

/** Ends the socket with an RST, or with a FIN after what was written; the record says that it was the mock's doing. */
function breakSocket(exchange: Exchange, how: 'reset' | 'close'): void {
  if (exchange.record) exchange.recorder.ended(exchange.record, 'broken');
  // The request's socket, as a response to a pipelined request has none before its turn.
  const { socket } = exchange.request;
  if (how === 'reset') socket.resetAndDestroy();
  else socket.destroySoon();
}

function isBreakFault(fault: Fault | null): fault is BreakFault {
  return fault?.kind === 'hang-after' || fault?.kind === 'reset-after' || fault?.kind === 'cut-after';
}

function* partsOf(body: string): Generator<Buffer> {
  const bytes = Buffer.from(body);
  const partBytes = Math.max(1, Math.ceil(bytes.length / PARTS));
  for (let start = 0; start < bytes.length; start += partBytes) {
    yield bytes.subarray(start, start + partBytes);
  }
}

/** The head as a flat list, which `writeHead` sends in this order and case, repeats kept. */
function headersOf(
  exchange: Exchange,
  contentType: string | null,
  bytes: number | null,
  moreHeaders: readonly string[],
): string[] {
  const { request, response, script } = exchange;
  const headers = ['X-Mock', exchange.name];
  if (contentType !== null) headers.push('Content-Type', contentType);
  if (bytes !== null && !script.chunked) headers.push('Content-Length', String(bytes));
  for (const [name, value] of script.extraHeaders) headers.push(name, value);
  headers.push(...moreHeaders);
  if (script.connectionClose) {
    headers.push('Connection', 'close');
  } else if (response.shouldKeepAlive && request.httpVersionMinor === 1) {
    // Said in so many words because Node would add a `Keep-Alive` hint of its own otherwise.
    headers.push('Connection', 'keep-alive');
    if (script.keepAliveHintMs !== null) {
      headers.push('Keep-Alive', `timeout=${Math.floor(script.keepAliveHintMs / 1000)}`);
    }
  }
  return headers;
}
