/**
 * Compares the bytes of an answer with those it must have, as they come: a missing, doubled or foreign piece shows at
 * its first byte. What the gateway adds where a backend broke off, an error event, is told apart from the answer.
 */
import { pieceOf, type Wish } from './wish.ts';

export type AnswerCheck = {
  take(chunk: Buffer): void;
  /** Bytes of the answer that were right, from its beginning. */
  readonly right: number;
  /** How the bytes compare if these are all there will be. */
  sum(): Sum;
};

export type Sum =
  | { readonly kind: 'whole' }
  /** Right as far as it goes. */
  | { readonly kind: 'part' }
  /** Right as far as it goes, and then the gateway says why it goes no further. */
  | { readonly kind: 'told'; readonly code: string }
  | { readonly kind: 'wrong'; readonly what: string };

/** An error event is shorter. */
const TAIL_BYTES = 1_024;
const ERROR_EVENT = /\n\ndata: (\{"error":\{[^\n]*\}\})\n\n$/;

export function createAnswerCheck(wish: Wish, backend: string): AnswerCheck {
  const comparison: Comparison = { right: 0, next: 0, expected: Buffer.alloc(0), wanted: undefined };
  let total = 0;
  /** The last bytes that came, for the error event. */
  let tail = Buffer.alloc(0);

  const sum = (): Sum => {
    const text = tail.toString('utf8');
    const event = wish.framing === 'events' ? ERROR_EVENT.exec(text) : null;
    const code = codeIn(event?.[1]);
    // All that stands before the event must be right; its first bytes may look like the answer's.
    if (event !== null && code !== undefined && comparison.right >= total - Buffer.byteLength(event[0])) {
      return { kind: 'told', code };
    }
    const { right, next, expected, wanted } = comparison;
    if (wanted !== undefined) {
      const got = JSON.stringify(text.slice(-300));
      return { kind: 'wrong', what: `after ${right} of ${total} bytes ${wanted} was due; it ends ${got}` };
    }
    return { kind: next > wish.pieces && expected.length === 0 ? 'whole' : 'part' };
  };

  return {
    take(chunk) {
      total += chunk.length;
      tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
      compare(comparison, chunk, wish, backend);
    },
    get right() {
      return comparison.right;
    },
    sum,
  };
}

type Comparison = {
  right: number;
  /** The number of the piece after the expected one. */
  next: number;
  /** What is still to come of the piece under way. */
  expected: Buffer;
  /** What should have come in place of the first wrong byte. */
  wanted: string | undefined;
};

/** Goes on up to the first wrong byte. */
function compare(state: Comparison, chunk: Buffer, wish: Wish, backend: string): void {
  for (let at = 0; at < chunk.length && state.wanted === undefined; ) {
    if (state.expected.length === 0 && state.next <= wish.pieces) {
      state.expected = Buffer.from(pieceOf(wish, backend, state.next));
      state.next += 1;
    }
    const { expected } = state;
    const length = Math.min(expected.length, chunk.length - at);
    const same = sameBytes(expected, chunk.subarray(at, at + length));
    state.right += same;
    at += same;
    state.expected = expected.subarray(same);
    if (length === 0) state.wanted = 'nothing more';
    else if (same < length) state.wanted = JSON.stringify(state.expected.toString('utf8', 0, 120));
  }
}

/** How many bytes at the beginning are the same. */
function sameBytes(expected: Buffer, got: Buffer): number {
  if (expected.subarray(0, got.length).equals(got)) return got.length;
  let same = 0;
  while (expected[same] === got[same]) same += 1;
  return same;
}

/** @returns the `code` of an error of the gateway's own, in the shape of OpenAI's API; undefined if it is none */
export function codeIn(json: string | undefined): string | undefined {
  return /^\{"error":\{"message":"(?:[^"\\]|\\.)*","type":"[a-z_]+","code":"([a-z_]+)","param":null\}\}$/.exec(
    json ?? '',
  )?.[1];
}
