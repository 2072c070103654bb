/** What one case of the fuzzer is: bytes that a client sends, and maybe bytes that a backend answers. */
import type { Prepared } from './backend.ts';
import type { Draw } from './random.ts';

export type Case = {
  /** For people: which kind of trouble this is. */
  readonly what: string;
  /** All the client sends, and how it is cut. */
  readonly pieces: readonly string[];
  readonly pauseMs?: number;
  /** Set where it is sent to the admin listener, which forwards nothing. */
  readonly isForAdmin?: boolean;
  /** Set where each request has to be answered by a backend. */
  readonly isValid?: boolean;
  /** What the backend answers instead of an echo. */
  readonly prepared?: Prepared;
};

/** What a case is made from. */
export type Making = { readonly draw: Draw; readonly marker: string };

/** Cuts bytes where the draw says, since what is refused whole must be refused in pieces. */
export function cut({ int, chance }: Draw, bytes: string): string[] {
  if (bytes.length < 2 || chance(0.5)) return [bytes];
  if (bytes.length < 200 && chance(0.1)) return [...bytes];
  const places = Array.from({ length: int(1, 4) }, () => int(1, bytes.length - 1)).sort((a, b) => a - b);
  return [0, ...places]
    .map((from, index) => bytes.slice(from, places[index]))
    .filter((piece) => piece !== '');
}
