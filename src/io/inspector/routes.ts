/** What is served below `/inspector`: the page and its files, and the answers to its questions. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { problem, SAFE_HEADERS, send, sendText } from '../admin/answer.ts';
import type { TokenCheck } from '../admin/token.ts';
import { pageFiles } from './page-files.ts';
import { BadQuestionError, type Question, readQuestion } from './questions.ts';
import type { Reply } from './thread.ts';

export type InspectorOptions = {
  /** Never rejects. */
  ask(question: Question): Promise<Reply>;
  /** What is wrong with the recording now, in words. */
  notes(): readonly string[];
};

const PREFIX = '/inspector/';
const API = '/inspector/api/';

/** The page loads what this listener serves, and nothing else. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @returns whether the path is one of the inspector's */
export function isInspectorPath(pathname: string): boolean {
  return pathname === '/inspector' || pathname.startsWith(PREFIX);
}

/** Answers a request whose path is one of the inspector's, and whose sender may ask. */
export async function serveInspector(
  options: InspectorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, {
      status: 405,
      body: problem('method_not_allowed', 'Use GET.'),
      headers: { Allow: 'GET, HEAD' },
    });
    return;
  }
  const { pathname, searchParams } = urlOf(request);
  if (pathname === '/inspector') redirect(response, {});
  else if (pathname.startsWith(API))
    await answer(options, pathname.slice(API.length), searchParams, response);
  else await sendFile(pathname.slice(PREFIX.length) || 'index.html', response);
}

/**
 * Takes a token out of the address of the page, also for who needs none: the address may be seen by others.
 *
 * @returns whether the request brought one, and has been answered
 */
export function exchangeToken(
  token: TokenCheck,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { pathname, searchParams } = urlOf(request);
  const offered = searchParams.get('token');
  if (offered === null || request.method !== 'GET' || pathname.replace(/\/$/, '') !== '/inspector')
    return false;
  const cookie = token.cookieFor(offered);
  if (cookie !== undefined) redirect(response, { 'Set-Cookie': cookie });
  else if (token.isGiven(request)) redirect(response, {});
  else send(response, token.refusal);
  return true;
}

export function urlOf({ url }: IncomingMessage): URL {
  // Only the path and the query count; a path that is none is one that nothing is served at.
  return URL.parse(`http://admin${url?.startsWith('/') === true ? url : '/'}`) ?? new URL('http://admin/');
}

function redirect(response: ServerResponse, headers: OutgoingHttpHeaders): void {
  response.writeHead(303, { ...SAFE_HEADERS, Location: PREFIX, 'Content-Length': 0, ...headers });
  response.end();
}

async function answer(
  { ask, notes }: InspectorOptions,
  name: string,
  params: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  try {
    const question = readQuestion(name, params, notes());
    if (question === undefined) sendNotFound(response);
    else {
      const { status, body } = await ask(question);
      sendText(response, status, body);
    }
  } catch (error) {
    if (!(error instanceof BadQuestionError)) throw error;
    send(response, { status: 400, body: problem('bad_question', error.message) });
  }
}

async function sendFile(name: string, response: ServerResponse): Promise<void> {
  const file = (await pageFiles()).get(name);
  if (file === undefined) {
    sendNotFound(response);
    return;
  }
  response.writeHead(200, {
    ...SAFE_HEADERS,
    'Content-Security-Policy': PAGE_POLICY,
    'Content-Type': file.type,
    'Content-Length': file.body.length,
  });
  response.end(file.body);
}

function sendNotFound(response: ServerResponse): void {
  send(response, { status: 404, body: problem('not_found', 'The inspector has nothing by this name.') });
}
