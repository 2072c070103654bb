/**
 * The listener for operators: what the backends are doing, the few things one may do about it, and the inspector. Who may
 * ask at all is for `admin/guard.ts` to say.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BackendView } from '../actors/view.ts';
import type { ReloadOutcome } from '../streams/ports.ts';
import { type Answer, problem, send } from './admin/answer.ts';
import { createGuard, type Guard } from './admin/guard.ts';
import { createTokenCheck, type TokenCheck } from './admin/token.ts';
import {
  exchangeToken,
  type InspectorOptions,
  isInspectorPath,
  serveInspector,
  urlOf,
} from './inspector/routes.ts';
import type { Metrics } from './metrics/metrics.ts';

export type AdminOptions = {
  /** The configured name of the listener, which a `Host` header may carry. */
  readonly host: string;
  /** What who asks must send along; '' if nothing. */
  readonly token: string;
  backends(): BackendView[];
  drain(backend: string): void;
  restore(backend: string): void;
  reload(): Promise<ReloadOutcome>;
  /** Figures of the gateway's own parts, as plain JSON. */
  stats(): Promise<object>;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** Whole pages beside the inspector's own, by path. */
  readonly pages: ReadonlyMap<string, Answer>;
  readonly inspector: InspectorOptions;
};

type Doors = { readonly guard: Guard; readonly token: TokenCheck };

export type Admin = {
  readonly server: Server;
  /** Whether who sends this request may see what the listener has to show. */
  isAllowed(request: IncomingMessage): boolean;
};

export function createAdmin(options: AdminOptions): Admin {
  const token = createTokenCheck(options.token);
  const doors: Doors = { guard: createGuard(options.host, token), token };
  // Some clients offer HTTP/2 on each call (`Upgrade: h2c`), which is to be ignored, not answered by whoever listens for
  // WebSockets.
  const shouldUpgradeCallback = ({ headers }: IncomingMessage) =>
    headers.upgrade?.toLowerCase() === 'websocket';
  const server = createServer({ shouldUpgradeCallback }, (request, response) => {
    // Nothing here reads a body; what comes of one is let run off.
    request.resume();
    serve(options, doors, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: problem('internal_error', String(error)) });
    });
  });
  return {
    server,
    isAllowed: (request) => doors.guard.refuse(request, urlOf(request).pathname) === undefined,
  };
}

async function serve(
  options: AdminOptions,
  { guard, token }: Doors,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = urlOf(request);
  const refusal = guard.refuse(request, pathname);
  const page = options.pages.get(pathname);
  const mayAsk = refusal === undefined || refusal === token.refusal;
  if (mayAsk && exchangeToken(token, request, response)) return;
  if (refusal !== undefined) send(response, refusal);
  else if (page !== undefined) send(response, await whenGet(request, () => page));
  else if (isInspectorPath(pathname)) await serveInspector(options.inspector, request, response);
  else send(response, await answer(options, request, pathname));
}

async function answer(options: AdminOptions, request: IncomingMessage, pathname: string): Promise<Answer> {
  const action = /^\/backends\/([^/]+)\/(drain|restore)$/.exec(pathname);
  if (action !== null) return whenPost(request, () => change(options, decode(action[1] ?? ''), action[2]));
  switch (pathname) {
    case '/backends':
      return whenGet(request, () => ({ status: 200, body: options.backends() }));
    case '/stats':
      return whenGet(request, async () => ({ status: 200, body: await options.stats() }));
    case '/metrics':
      return whenGet(request, () => metricsAnswer(options.metrics));
    case '/health':
      return whenGet(request, () => ({ status: 200, body: { status: 'ok' } }));
    case '/reload':
      return whenPost(request, async () => reloadAnswer(await options.reload()));
    default:
      return { status: 404, body: problem('not_found', `Nothing is served at ${pathname}.`) };
  }
}

async function metricsAnswer({ contentType, text }: AdminOptions['metrics']): Promise<Answer> {
  return { status: 200, contentType, body: await text() };
}

function change(options: AdminOptions, id: string, action: string | undefined): Answer {
  const find = () => options.backends().find((backend) => backend.id === id);
  if (find() === undefined) {
    const known = options.backends().map((backend) => backend.id);
    return {
      status: 404,
      body: problem('unknown_backend', `No backend is called ${id}. Known: ${known.join(', ')}`),
    };
  }
  if (action === 'drain') options.drain(id);
  else options.restore(id);
  return { status: 200, body: find() ?? null };
}

function reloadAnswer(outcome: ReloadOutcome): Answer {
  if (!outcome.ok) return { status: 422, body: { applied: false, problems: outcome.problems } };
  const { changed, needRestart } = outcome;
  return { status: 200, body: { applied: true, changed, needRestart } };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

async function whenGet(request: IncomingMessage, answerer: () => Answer | Promise<Answer>): Promise<Answer> {
  return request.method === 'GET' || request.method === 'HEAD' ? answerer() : wrongMethod('GET');
}

async function whenPost(request: IncomingMessage, answerer: () => Answer | Promise<Answer>): Promise<Answer> {
  return request.method === 'POST' ? answerer() : wrongMethod('POST');
}

function wrongMethod(expected: string): Answer {
  return {
    status: 405,
    body: problem('method_not_allowed', `Use ${expected}.`),
    headers: { Allow: expected },
  };
}
