/**
 * The listener for operators: what the backends are doing, and the few things one may do about it. It has no
 * log-in, so it is meant for loopback, and it refuses what a web page could send there behind its user's back.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net from 'node:net';
import type { BackendView } from '../actors/view.ts';
import type { ReloadOutcome } from '../streams/ports.ts';
import type { Metrics } from './metrics/metrics.ts';

export type AdminOptions = {
  /** The configured name of the listener, which a `Host` header may carry. */
  readonly host: string;
  backends(): BackendView[];
  drain(backend: string): void;
  restore(backend: string): void;
  reload(): Promise<ReloadOutcome>;
  /** Figures of the gateway's own parts, as plain JSON. */
  stats(): Promise<object>;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
};

/** JSON, unless a content type says what else; then `body` is a text. */
type Answer = { status: number; body: unknown; contentType?: string };

export function createAdmin(options: AdminOptions): Server {
  return createServer((request, response) => {
    // Nothing here reads a body; what comes of one is let run off.
    request.resume();
    answer(options, request).then(
      (result) => send(response, result),
      (error: unknown) => send(response, { status: 500, body: problem('internal_error', String(error)) }),
    );
  });
}

async function answer(options: AdminOptions, request: IncomingMessage): Promise<Answer> {
  if (!isAskedByOperator(request, options.host)) {
    return {
      status: 403,
      body: problem('forbidden', 'The admin listener answers to its own address only, and to no web page.'),
    };
  }
  const [pathname = '/'] = (request.url ?? '/').split('?', 1);
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

/**
 * Keeps web pages out: a page of another site that asks for this address sends its `Origin`, and one whose
 * name was rebound to this address sends a `Host` that is not ours.
 */
function isAskedByOperator({ headers }: IncomingMessage, ownHost: string): boolean {
  const host = hostnameOf(headers.host ?? '');
  const isOwn = host === 'localhost' || host === ownHost || net.isIP(host) !== 0;
  const { origin } = headers;
  return isOwn && (origin === undefined || origin === `http://${headers.host}`);
}

function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
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
  return { status: 405, body: problem('method_not_allowed', `Use ${expected}.`) };
}

function problem(code: string, message: string): object {
  return { error: { code, message } };
}

function send(response: ServerResponse, { status, body, contentType }: Answer): void {
  const text = contentType === undefined ? `${JSON.stringify(body)}\n` : String(body);
  response.writeHead(status, {
    'Content-Type': contentType ?? 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
