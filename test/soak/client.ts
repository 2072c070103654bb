/** One request of a fault run: sent, read and checked byte by byte, or left by its client at some point. */
import http from 'node:http';
import { type AnswerCheck, codeIn, createAnswerCheck, type Sum } from './answer-check.ts';
import { BODY_DIGEST, bodyOf, digestOf, SERVED_BY, type Wish } from './wish.ts';

/** When the client goes away: in the middle of its body, so long after it, or after so many bytes of the answer. */
export type Leave = { readonly how: 'reset' | 'close' } & (
  | { readonly when: 'sending' }
  | { readonly when: 'waiting'; readonly afterMs: number }
  | { readonly when: 'reading'; readonly afterBytes: number }
);

export type Ask = {
  readonly wish: Wish;
  readonly promptBytes: number;
  readonly leave?: Leave;
  /** How long it stops reading after each piece that comes; 0 for a client that keeps up. */
  readonly readPauseMs: number;
};

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'whole' }
  /** The answer came to its end, but is not whole. */
  | { readonly kind: 'short'; readonly backend: string; readonly right: number }
  | { readonly kind: 'told'; readonly backend: string; readonly code: string; readonly right: number }
  /** The connection ended in the middle of an answer that was right so far. */
  | { readonly kind: 'cut'; readonly backend: string; readonly right: number }
  /** An answer of the gateway's own; the backend is the one it names, if any. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly backend: string }
  /** An answer of the backend's other than 200. */
  | { readonly kind: 'passed'; readonly status: number; readonly backend: string }
  | { readonly kind: 'left' }
  /** The connection ended, or did not open, before any answer. */
  | { readonly kind: 'unanswered'; readonly code: string }
  | { readonly kind: 'hung' }
  | { readonly kind: 'wrong'; readonly what: string };

/** Longer than all the limits of the gateway together let a request take. */
const HUNG_MS = 90_000;

/** Asks once; never rejects. */
export function ask(url: string, agent: http.Agent, options: Ask): Promise<Outcome> {
  const { wish, promptBytes, leave } = options;
  const body = bodyOf(wish, promptBytes);
  return new Promise((resolve) => {
    const request = http.request(`${url}/v1/chat/completions`, {
      method: 'POST',
      agent,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': body.length,
        'X-Request-ID': wish.marker,
      },
    });
    let isOver = false;
    const timers = [setTimeout(() => finish({ kind: 'hung' }), HUNG_MS)];
    const finish = (outcome: Outcome) => {
      if (isOver) return;
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
      resolve(outcome);
      // After an answer that came to its end the connection belongs to the next request.
      if (outcome.kind === 'hung' || outcome.kind === 'left' || outcome.kind === 'wrong') request.destroy();
    };
    const go = () => {
      if (isOver) return;
      if (leave?.how === 'reset') request.socket?.resetAndDestroy();
      finish({ kind: 'left' });
    };
    request.on('error', (error: NodeJS.ErrnoException) =>
      finish({ kind: 'unanswered', code: error.code ?? error.message }),
    );
    request.on('response', (response) => read(response, body, options, finish, go));
    if (leave?.when === 'sending') {
      request.write(body.subarray(0, body.length / 2), () => go());
      return;
    }
    request.end(body);
    if (leave?.when === 'waiting') timers.push(setTimeout(go, leave.afterMs));
  });
}

function read(
  response: http.IncomingMessage,
  body: Buffer,
  options: Ask,
  finish: (outcome: Outcome) => void,
  go: () => void,
): void {
  const backend = String(response.headers['x-reprise-backend'] ?? '');
  const status = response.statusCode ?? 0;
  if (status !== 200) {
    readRefusal(response, { backend, status }, finish);
    return;
  }
  const faultyHead = problemWith(response, backend, body, options.wish);
  if (faultyHead !== undefined) {
    finish({ kind: 'wrong', what: faultyHead });
    return;
  }
  const check = createAnswerCheck(options.wish, backend);
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    check.take(chunk);
    bytes += chunk.length;
    if (options.leave?.when === 'reading' && bytes >= options.leave.afterBytes) go();
    if (options.readPauseMs > 0) {
      response.pause();
      setTimeout(() => response.resume(), options.readPauseMs);
    }
  });
  response.on('error', () => finish(endOf(check, backend, false)));
  response.on('end', () => finish(endOf(check, backend, true)));
}

function endOf(check: AnswerCheck, backend: string, isComplete: boolean): Outcome {
  const sum: Sum = check.sum();
  const { right } = check;
  if (sum.kind === 'wrong') return { kind: 'wrong', what: `${sum.what} (from ${backend})` };
  if (!isComplete) return { kind: 'cut', backend, right };
  switch (sum.kind) {
    case 'whole':
      return { kind: 'whole' };
    case 'part':
      return { kind: 'short', backend, right };
    case 'told':
      return { kind: 'told', backend, code: sum.code, right };
  }
}

function problemWith(
  { headers }: http.IncomingMessage,
  backend: string,
  body: Buffer,
  { marker }: Wish,
): string | undefined {
  if (headers['x-request-id'] !== marker)
    return `X-Request-ID is ${headers['x-request-id']}, sent was ${marker}`;
  if (headers[SERVED_BY] !== backend) return `served by ${headers[SERVED_BY]}, the gateway says ${backend}`;
  if (headers[BODY_DIGEST] !== digestOf(body)) return `backend ${backend} got another body than was sent`;
  return undefined;
}

function readRefusal(
  response: http.IncomingMessage,
  { backend, status }: { readonly backend: string; readonly status: number },
  finish: (outcome: Outcome) => void,
): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (piece: string) => {
    text += piece;
  });
  response.on('error', () => finish({ kind: 'cut', backend, right: 0 }));
  response.on('end', () => {
    const code = codeIn(text);
    if (backend !== '') finish({ kind: 'passed', status, backend });
    else if (code === undefined)
      finish({ kind: 'wrong', what: `status ${status} with ${text.slice(0, 200)}` });
    else finish({ kind: 'refused', status, code, backend: /Backend ([\w.:-]+) /.exec(text)?.[1] ?? '' });
  });
}
