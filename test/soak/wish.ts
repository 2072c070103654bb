/**
 * What a client of a fault run asks for, and the answer it must get: every byte follows from the wish and the name of
 * the backend, so both ends make it for themselves and nothing but the wish has to travel.
 */
import { createHash } from 'node:crypto';
import { seedFrom } from '../../src/simulation/random.ts';

/** How the end of the answer is told: by an event, by the last chunk, by its length, or by closing the connection. */
export type Framing = 'events' | 'chunked' | 'sized' | 'closing';

/** What a backend is to do wrong: before it answers, or after so many pieces. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'reset' | 'close' | 'stall'; readonly after: number };

export type Wish = {
  /** Unlike any other in a run; it stands in every piece. */
  readonly marker: string;
  readonly framing: Framing;
  readonly pieces: number;
  /** Before the first piece, as prefill takes it. */
  readonly firstMs: number;
  readonly gapMs: number;
  readonly fault?: Fault;
};

/** Names of headers by which a backend tells of itself. */
export const SERVED_BY = 'x-served-by';
export const BODY_DIGEST = 'x-body-digest';

const PADDING = Array.from({ length: 16_384 }, (_, at) => String.fromCharCode(97 + ((at * 7) % 26))).join('');
/** One piece in so many is long, so that it does not fit into one packet. */
const LONG_EVERY = 40;
const LONG_MOST = 12_000;
const SHORT_MOST = 160;

/** The piece of this number, from 0; the one of number `wish.pieces` tells the end. */
export function pieceOf(wish: Wish, backend: string, index: number): string {
  const { marker, framing, pieces } = wish;
  const start = framing === 'events' ? 'data: ' : '';
  if (index >= pieces) return framing === 'events' ? 'data: [DONE]\n\n' : `the end of ${marker}\n\n`;
  const seed = seedFrom(marker, index);
  const length = seed % LONG_EVERY === 0 ? (seed >>> 8) % LONG_MOST : (seed >>> 8) % SHORT_MOST;
  const from = (seed >>> 4) % 4_000;
  const piece = { marker, index, of: pieces, by: backend, text: PADDING.slice(from, from + length) };
  return `${start}${JSON.stringify(piece)}\n\n`;
}

/** All pieces together, the end included. */
export function wholeAnswer(wish: Wish, backend: string): string {
  return Array.from({ length: wish.pieces + 1 }, (_, index) => pieceOf(wish, backend, index)).join('');
}

/** The body of a request that carries a wish, with so many bytes of prompt. */
export function bodyOf(wish: Wish, promptBytes: number): Buffer {
  const prompt = PADDING.repeat(Math.ceil(promptBytes / PADDING.length)).slice(0, promptBytes);
  return Buffer.from(JSON.stringify({ model: 'soak', wish, messages: [{ role: 'user', content: prompt }] }));
}

/** @returns the wish in the body of a request; undefined if there is none */
export function wishIn(body: Buffer): Wish | undefined {
  const parsed: unknown = JSON.parse(body.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('wish' in parsed)) return undefined;
  // Made by `bodyOf`, a line above; the digest shows that it came as it was.
  return parsed.wish as Wish;
}

export function digestOf(body: Uint8Array): string {
  return createHash('sha1').update(body).digest('hex');
}
