/**
 * The listener for clients: takes requests in over `node:http`, answers what is its own, and starts an
 * exchange for what goes to a backend.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Upstream } from '../streams/ports.ts';
import type { RequestDesk } from '../streams/requests.ts';
import { isTooLargeFromStart, takeBody } from './body.ts';
import { nodeDownstream } from './downstream.ts';
import { badRequest, bodyTooLarge, errorBody, type GatewayError, notFound } from './errors.ts';
import { createExchange } from './exchange.ts';
import { requestIdOf, valuesOf } from './headers.ts';
import { originForm, routeOf } from './router.ts';

/** As nginx: longer than clients usually keep a connection, so that it is they who close it. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const HEADERS_TIMEOUT_MS = 60_000;

export type ServerSettings = {
  readonly paths: readonly string[];
  readonly maxBodyBytes: number;
  readonly bufferBytes: number;
  readonly probeIntervalMs: number;
};

export type ClientListenerOptions = {
  readonly desk: RequestDesk;
  readonly upstream: Upstream;
  /** Read for each request, so that a reload counts from the next one. */
  readonly settings: () => ServerSettings;
  readonly version: string;
};

export type ClientListener = {
  readonly server: Server;
  /** Takes no new connection, and asks clients to close theirs after the answer they are waiting for. */
  stop(): void;
};

export function createClientListener(options: ClientListenerOptions): ClientListener {
  let stopping = false;
  const busy = new WeakSet<Socket>();
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Checked here, so that the answer has the gateway's own form.
    requireHostHeader: false,
  });
  const serve = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
    const { socket } = request;
    busy.add(socket);
    response.on('close', () => {
      busy.delete(socket);
      if (stopping) server.closeIdleConnections();
    });
    handle(options, request, response, expectsContinue, () => stopping);
  };
  server.on('request', (request, response) => serve(request, response, false));
  server.on('checkContinue', (request, response) => serve(request, response, true));
  server.on('clientError', (error, socket) => refuseGarbage(error, socket as Socket, busy));
  return {
    server,
    stop() {
      stopping = true;
      server.close();
      server.closeIdleConnections();
    },
  };
}

function handle(
  options: ClientListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
  isStopping: () => boolean,
): void {
  request.url = originForm(request.url ?? '/');
  const settings = options.settings();
  const downstream = nodeDownstream(request, response, isStopping);
  const requestId = requestIdOf(request.rawHeaders);
  const exchange = createExchange({
    desk: options.desk,
    upstream: options.upstream,
    downstream,
    requestId,
    probeIntervalMs: () => options.settings().probeIntervalMs,
  });
  const problem = problemWith(request, settings);
  if (problem !== undefined) {
    exchange.refuse(problem);
    return;
  }
  const own = ownAnswer(options, request.url, settings);
  if (own !== undefined) {
    downstream.answer(200, ['X-Request-ID', requestId], JSON.stringify(own));
    return;
  }
  downstream.listen(exchange);
  if (expectsContinue) response.writeContinue();
  takeBody(request, settings, {
    ready: (body) => exchange.begin(body),
    tooLarge: () => exchange.refuse(bodyTooLarge(settings.maxBodyBytes)),
  });
}

function problemWith(request: IncomingMessage, settings: ServerSettings): GatewayError | undefined {
  const hosts = valuesOf(request.rawHeaders, 'host').length;
  // RFC 9112 §3.2: exactly one in HTTP/1.1, and never more.
  if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) {
    return badRequest(`The request has ${hosts} Host headers; it needs one.`);
  }
  const target = request.url ?? '/';
  if (routeOf(target, settings.paths) === 'none') return notFound(target.split('?', 1)[0] ?? target);
  if (isTooLargeFromStart(request, settings.maxBodyBytes)) return bodyTooLarge(settings.maxBodyBytes);
  return undefined;
}

function ownAnswer(
  { version }: ClientListenerOptions,
  target: string,
  { paths }: ServerSettings,
): object | undefined {
  switch (routeOf(target, paths)) {
    case 'health':
      return { status: 'ok' };
    case 'index':
      return { name: 'reprise', version, links: { health: '/health', models: '/v1/models' } };
    default:
      return undefined;
  }
}

/** Answers bytes that are not HTTP, unless an answer is under way on that connection: then it is cut. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket, busy: WeakSet<Socket>): void {
  if (!socket.writable || busy.has(socket) || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refusal = refusalFor(error);
  const body = errorBody(refusal);
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_TEXT[refusal.status] ?? 'Bad Request'}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function refusalFor({ code, message }: NodeJS.ErrnoException): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, code: 'headers_too_large', message: 'The headers are longer than allowed.' };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, code: 'request_timeout', message: 'The request was not complete in time.' };
  }
  return badRequest(`The request is not valid HTTP: ${message}`);
}
