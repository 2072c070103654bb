/**
 * The listener for clients: takes requests in over `node:http`, answers what is its own, and starts an
 * exchange for what goes to a backend.
 */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Upstream } from '../streams/ports.ts';
import type { RequestDesk } from '../streams/requests.ts';
import { isTooLargeFromStart, takeBody } from './body.ts';
import { createClientPort } from './client-port.ts';
import type { ServerCertificate } from './config/pem-files.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { NodeDownstream } from './downstream.ts';
import { bodyTooLarge, expectationFailed, type GatewayError, noTunnels, notFound } from './errors.ts';
import { type ExchangeSurroundings, ProxiedExchange } from './exchange.ts';
import { createGarbageDesk, type GarbageDesk } from './garbage.ts';
import { requestIdOf } from './headers.ts';
import { isLastServed, serveNoMore } from './linger.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';
import { problemWithHead, toOriginForm } from './request-head.ts';
import { pathOf, type Route, routeOf } from './router.ts';
import { createTunnels } from './tunnel.ts';
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
  readonly connections: Pick<ConnectionLimits, 'guard'>;
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
  const shared: Shared = {
    ...options,
    ...{ garbage, readAhead, tunnels },
    isStopping: () => stopping,
    probeIntervalMs: () => options.settings().probeIntervalMs,
    retryOn: () => options.settings().retryOn,
  };
  // Several answers to one connection have an order, and behind the last there is nothing to switch.
  const maySwitch = (request: IncomingMessage) =>
    asksForWebSocket(request) && !garbage.isDue(request.socket) && !isLastServed(request.socket);
  const port = createClientPort(serverOptions(options.settings(), maySwitch), options.certificates);
  const { server } = port;
  options.connections.guard(server, port.isSecure);
  // Node would drop the headers beyond a count without a word; their size is limited anyway.
  server.maxHeadersCount = 0;
  const serve = (incoming: Incoming) => {
    const { request, response } = incoming;
    // A request behind the one that made us close must not be served (RFC 9112 §9.6).
    if (isLastServed(request.socket)) {
      request.resume();
      return;
    }
    if (incoming.accept === undefined) endBehindRefusedSwitch(request, response);
    inFlight += 1;
    // As it came, so before the target is brought into its origin form.
    const doubt = problemWithHead(request);
    const downstream = downstreamOf(shared, incoming);
    response.on('close', () => {
      inFlight -= 1;
      garbage.answered(request);
      if (stopping) server.closeIdleConnections();
      downstream.closed();
    });
    handle(shared, incoming, downstream, doubt);
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
  server.on('connect', (_request, socket) => refuseTunnel(socket, garbage));
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

/**
 * Makes the answer to a request for another protocol (`Upgrade`) that is not granted the last one on its connection. Node's
 * parser drops the bytes that came together with such a request, since they are not HTTP where a server does switch. The
 * bytes after them would then be read as a new request, though they may lie within a body that somebody else has written.
 */
function endBehindRefusedSwitch(request: IncomingMessage, response: ServerResponse): void {
  // Whatever `Connection` says: the parser also looks into `Proxy-Connection`.
  if (request.headers.upgrade === undefined) return;
  response.shouldKeepAlive = false;
  serveNoMore(request.socket);
}

function refuseTunnel(socket: Duplex, garbage: GarbageDesk): void {
  // Node has taken its own listeners off, and with them the one that keeps an error from ending the process.
  socket.on('error', () => socket.destroy());
  garbage.turnAway(socket, noTunnels(), `Allow: ${METHODS}\r\n`);
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
type Shared = ClientListenerOptions &
  ExchangeSurroundings & {
    readonly garbage: GarbageDesk;
    readonly readAhead: ReadAhead;
    readonly isStopping: () => boolean;
  };

function downstreamOf(shared: Shared, { request, response, accept }: Incoming): NodeDownstream {
  toOriginForm(request);
  const upgrade = accept === undefined ? undefined : { protocol: WEBSOCKET, accept };
  return new NodeDownstream(request, response, shared.isStopping, shared.settings(), upgrade);
}

function handle(
  shared: Shared,
  incoming: Incoming,
  downstream: NodeDownstream,
  doubt: GatewayError | undefined,
): void {
  const { request, expectation } = incoming;
  const settings = shared.settings();
  const requestId = requestIdOf(request.rawHeaders);
  const exchange = new ProxiedExchange(shared, downstream, requestId);
  shared.garbage.expect(request, exchange);
  const route = routeOf(downstream.target, settings.paths);
  const problem = doubt ?? problemWith(request, route, expectation, settings);
  if (problem !== undefined) {
    exchange.refuse(problem);
    return;
  }
  if (route !== 'proxy') {
    answerOurselves(shared, route, downstream, requestId);
    return;
  }
  downstream.listen(exchange);
  whenBodyMayCome(incoming, () => takeBody(request, settings, shared.readAhead, exchange));
}

/**
 * Asks for the body where that is waited for. On a pipelined connection that has to wait for its turn: node would write
 * it between head and body of an answer that is ready before.
 */
function whenBodyMayCome({ response, expectation }: Incoming, take: () => void): void {
  if (expectation !== 'continue') {
    take();
    return;
  }
  const ask = () => {
    if (response.headersSent) return;
    response.writeContinue();
    take();
  };
  if (response.socket !== null) ask();
  else response.once('socket', ask);
}

function problemWith(
  request: IncomingMessage,
  route: Route,
  expectation: Expectation,
  settings: ServerSettings,
): GatewayError | undefined {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isServed = route === 'metrics' ? settings.exposeMetrics : route !== 'none';
  if (!isServed || (route !== 'proxy' && !isRead)) return notFound(pathOf(request.url ?? '/'));
  if (expectation === 'unknown') return expectationFailed(request.headers.expect ?? '');
  if (isTooLargeFromStart(request, settings.maxBodyBytes)) return bodyTooLarge(settings.maxBodyBytes);
  return undefined;
}

function answerOurselves(
  { metrics, version }: ClientListenerOptions,
  route: Route,
  downstream: NodeDownstream,
  requestId: string,
): void {
  const id = ['X-Request-ID', requestId];
  if (route === 'metrics') {
    metrics.text().then(
      (body) => downstream.answer(200, [...id, 'Content-Type', metrics.contentType], body),
      () => downstream.cut(),
    );
    return;
  }
  const index = { name: 'reprise', version, links: { health: '/health', models: '/v1/models' } };
  downstream.answer(200, id, JSON.stringify(route === 'health' ? { status: 'ok' } : index));
}
