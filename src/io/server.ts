/**
 * The listener for clients: takes requests in over `node:http`, answers what is its own, and starts an
 * exchange for what goes to a backend.
 */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Downstream, Upstream } from '../streams/ports.ts';
import type { RequestDesk } from '../streams/requests.ts';
import { isTooLargeFromStart, takeBody } from './body.ts';
import { createClientPort } from './client-port.ts';
import type { ServerCertificate } from './config/pem-files.ts';
import { nodeDownstream } from './downstream.ts';
import {
  badFraming,
  badRequest,
  bodyTimeout,
  bodyTooLarge,
  expectationFailed,
  type GatewayError,
  noTunnels,
  notFound,
  unsupportedCoding,
} from './errors.ts';
import { createExchange } from './exchange.ts';
import { createGarbageDesk, type GarbageDesk } from './garbage.ts';
import { isSaneHost, requestIdOf, valuesOf } from './headers.ts';
import { isClosing } from './linger.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';
import { authorityOf, originForm, routeOf } from './router.ts';
import { createTunnels, type Tunnels } from './tunnel.ts';
import { asksForWebSocket, createUpgrades, MAY_CHOOSE_UPGRADES, type Upgrade, WEBSOCKET } from './upgrade.ts';

/** As nginx: longer than clients usually keep a connection, so that it is they who close it. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Node looks for late headers at intervals; a tenth of the time allowed, but not all the time. */
const HEADERS_CHECK_MS = { least: 10, most: 1000 };
/** What is told to a client whose method is not allowed. */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export type ServerSettings = {
  readonly paths: readonly string[];
  readonly maxBodyBytes: number;
  readonly bufferBytes: number;
  readonly readAheadBytes: number;
  readonly headersTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly idleReaderTimeoutMs: number;
  readonly sendBufferBytes: number;
  readonly tunnelIdleTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly exposeMetrics: boolean;
  /** Statuses, among other words, of answers that the core may have thrown away. */
  readonly retryOn: readonly string[];
};

export type ClientListenerOptions = {
  readonly desk: RequestDesk;
  readonly upstream: Upstream;
  /** Read for each request, so that a reload counts from the next one. */
  readonly settings: () => ServerSettings;
  /** Those that clients are served with; none for plain HTTP. */
  readonly certificates: () => readonly ServerCertificate[];
  readonly version: string;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
};

export type ClientListener = {
  readonly server: Server;
  /** Serves new connections with the certificates that are in force now. */
  renewCertificates(): void;
  /** Takes no new connection, and asks clients to close theirs after the answer they are waiting for. */
  stop(): void;
  /** Ends whatever is still open. */
  cut(): void;
  /** Ends the tunnels to a backend. */
  endTunnels(backend: string): void;
  /** How many requests have been begun by clients and not been answered to the end. */
  inFlight(): number;
};

export function createClientListener(options: ClientListenerOptions): ClientListener {
  let stopping = false;
  let inFlight = 0;
  const garbage = createGarbageDesk();
  const readAhead = createReadAhead(() => options.settings().readAheadBytes);
  const tunnels = createTunnels(() => options.settings().tunnelIdleTimeoutMs);
  const upgrades = createUpgrades();
  const shared: Shared = { ...options, garbage, readAhead, tunnels, isStopping: () => stopping };
  // Several answers to one connection have an order, and behind the last there is nothing to switch.
  const maySwitch = (request: IncomingMessage) =>
    asksForWebSocket(request) && !garbage.isDue(request.socket) && !isClosing(request.socket);
  const port = createClientPort(serverOptions(options.settings(), maySwitch), options.certificates);
  const { server } = port;
  // Node would drop the headers beyond a count without a word; their size is limited anyway.
  server.maxHeadersCount = 0;
  const serve = (incoming: Incoming) => {
    const { request, response } = incoming;
    // A request behind the one that made us close must not be served (RFC 9112 §9.6).
    if (isClosing(request.socket)) {
      request.resume();
      return;
    }
    inFlight += 1;
    response.on('close', () => {
      inFlight -= 1;
      garbage.answered(request);
      if (stopping) server.closeIdleConnections();
    });
    handle(shared, incoming);
  };
  server.on('request', (request, response) => serve({ request, response, expectation: 'none' }));
  server.on('checkContinue', (request, response) => serve({ request, response, expectation: 'continue' }));
  server.on('checkExpectation', (request, response) => serve({ request, response, expectation: 'unknown' }));
  if (MAY_CHOOSE_UPGRADES)
    server.on('upgrade', (request, socket, head) => {
      const upgrade = upgrades.take(request, socket, head);
      serve({ request, response: upgrade.response, expectation: 'none', accept: upgrade.accept });
    });
  server.on('clientError', (error, socket) => garbage.refuse(error, socket));
  server.on('connect', (_request, socket) => {
    // Node has taken its own listeners off, and with them the one that keeps an error from ending the process.
    socket.on('error', () => socket.destroy());
    garbage.turnAway(socket, noTunnels(), `Allow: ${METHODS}\r\n`);
  });
  return {
    server,
    renewCertificates: port.renew,
    stop() {
      stopping = true;
      server.close();
      server.closeIdleConnections();
    },
    cut() {
      tunnels.end();
      upgrades.cut();
      server.closeAllConnections();
    },
    endTunnels: tunnels.end,
    inFlight: () => inFlight,
  };
}

function serverOptions(
  { headersTimeoutMs, sendBufferBytes }: ServerSettings,
  shouldUpgradeCallback: (request: IncomingMessage) => boolean,
): ServerOptions {
  const { least, most } = HEADERS_CHECK_MS;
  return {
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.min(Math.max(headersTimeoutMs / 10, least), most),
    // A body may take its time, as long as it does not stand still.
    requestTimeout: 0,
    highWaterMark: sendBufferBytes,
    // Checked here, so that the answer has the gateway's own form.
    requireHostHeader: false,
    shouldUpgradeCallback,
  };
}

/** What the client expects before it sends its body (RFC 9110 §10.1.1). */
type Expectation = 'none' | 'continue' | 'unknown';

type Incoming = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectation: Expectation;
  /** Set where a WebSocket is asked for. */
  readonly accept?: Upgrade['accept'];
};

/** What all requests of a listener share. */
type Shared = ClientListenerOptions & {
  readonly garbage: GarbageDesk;
  readonly readAhead: ReadAhead;
  readonly tunnels: Tunnels;
  readonly isStopping: () => boolean;
};

function handle(options: Shared, incoming: Incoming): void {
  const { request, response, expectation, accept } = incoming;
  toOriginForm(request);
  const settings = options.settings();
  const downstream = nodeDownstream(request, response, {
    isStopping: options.isStopping,
    idleReaderTimeoutMs: settings.idleReaderTimeoutMs,
    upgrade: accept === undefined ? undefined : { protocol: WEBSOCKET, accept },
  });
  const requestId = requestIdOf(request.rawHeaders);
  const exchange = createExchange({
    desk: options.desk,
    upstream: options.upstream,
    tunnels: options.tunnels,
    downstream,
    requestId,
    probeIntervalMs: () => options.settings().probeIntervalMs,
    retryOn: () => options.settings().retryOn,
  });
  options.garbage.expect(request, exchange.refuse);
  const problem = problemWith(request, expectation, settings);
  if (problem !== undefined) {
    exchange.refuse(problem);
    return;
  }
  if (routeOf(downstream.target, settings.paths) === 'metrics') {
    answerMetrics(options.metrics, downstream, requestId);
    return;
  }
  const own = ownAnswer(options, downstream.target, settings);
  if (own !== undefined) {
    downstream.answer(200, ['X-Request-ID', requestId], JSON.stringify(own));
    return;
  }
  downstream.listen(exchange);
  if (expectation === 'continue') response.writeContinue();
  takeBody(request, settings, options.readAhead, {
    ready: (body) => exchange.begin(body),
    tooLarge: () => exchange.refuse(bodyTooLarge(settings.maxBodyBytes)),
    stoodStill: () => exchange.refuse(bodyTimeout()),
  });
}

/** The host in a target of absolute form goes before the one in `Host` (RFC 9112 §3.2.2). */
function toOriginForm(request: IncomingMessage): void {
  const target = request.url ?? '/';
  if (target.startsWith('/')) return;
  const authority = authorityOf(target);
  request.url = originForm(target);
  if (authority === undefined) return;
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'host') rawHeaders[index + 1] = authority;
  }
}

function problemWith(
  request: IncomingMessage,
  expectation: Expectation,
  settings: ServerSettings,
): GatewayError | undefined {
  const problem = problemWithHead(request);
  if (problem !== undefined) return problem;
  const target = request.url ?? '/';
  const route = routeOf(target, settings.paths);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isServed = route === 'metrics' ? settings.exposeMetrics : route !== 'none';
  if (!isServed || (route !== 'proxy' && !isRead)) return notFound(target.split('?', 1)[0] ?? target);
  if (expectation === 'unknown') return expectationFailed(request.headers.expect ?? '');
  if (isTooLargeFromStart(request, settings.maxBodyBytes)) return bodyTooLarge(settings.maxBodyBytes);
  return undefined;
}

/** What the parser lets through and a proxy must not. */
function problemWithHead({ rawHeaders, headers, httpVersion }: IncomingMessage): GatewayError | undefined {
  const hosts = valuesOf(rawHeaders, 'host');
  // RFC 9112 §3.2: exactly one in HTTP/1.1, and never more.
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion === '1.1')) {
    return badRequest(`The request has ${hosts.length} Host headers; it needs one.`);
  }
  if (!hosts.every(isSaneHost)) return badRequest('The Host header does not name a host.');
  const codings = headers['transfer-encoding'];
  if (codings === undefined) return undefined;
  // RFC 9112 §6.1: both are ways to smuggle a request past one of two servers.
  if (httpVersion === '1.0') return badFraming('A request in HTTP/1.0 cannot have Transfer-Encoding.');
  if (codings.trim().toLowerCase() !== 'chunked') return unsupportedCoding(codings);
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

function answerMetrics(
  { contentType, text }: ClientListenerOptions['metrics'],
  downstream: Downstream,
  requestId: string,
): void {
  text().then(
    (body) => downstream.answer(200, ['X-Request-ID', requestId, 'Content-Type', contentType], body),
    () => downstream.cut(),
  );
}
