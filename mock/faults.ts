/**
 * Faults on command. A fault is one short text, the same in a test, in the `X-Mock-Fault` header, in the script
 * and on the command line: `hang`, `reset-after=3`, `status=429,retry-after=2`.
 */

/** Every fault, as it is written. The number in an `-after` fault counts tokens (or parts of an unstreamed body). */
export type FaultText =
  | 'hang'
  | 'reset'
  | 'close'
  | 'garbage'
  | 'no-read'
  | `hang-after=${number}`
  | `reset-after=${number}`
  | `cut-after=${number}`
  | `drip=${number}`
  | `status=${number}`
  | `status=${number},retry-after=${number}`
  | `early-status=${number}`
  | `early-status=${number},retry-after=${number}`;

/** What happens in place of an answer. After `no-read` the mock cannot see the peer leave, as it reads nothing. */
export type SilentFault = { readonly kind: 'hang' | 'reset' | 'close' | 'garbage' | 'no-read' };

/** What breaks an answer off after some of its pieces. */
export type BreakFault = {
  readonly kind: 'hang-after' | 'reset-after' | 'cut-after';
  readonly afterPieces: number;
};

/** A body sent byte by byte. */
export type DripFault = { readonly kind: 'drip'; readonly gapMs: number };

/** An error status in place of the answer; `early-status` is sent before the request body is read. */
export type StatusFault = {
  readonly kind: 'status' | 'early-status';
  readonly status: number;
  readonly retryAfterS: number | null;
};

export type Fault = SilentFault | BreakFault | DripFault | StatusFault;

/** The grammar, for error messages and `--help`. */
export const FAULT_GRAMMAR =
  'hang, reset, close, garbage, no-read, hang-after=N, reset-after=N, cut-after=N, drip=MS, ' +
  'status=CODE[,retry-after=SECONDS], early-status=CODE[,retry-after=SECONDS]';

const SHAPE = /^([a-z-]+)(?:=(\d{1,9}))?(?:,retry-after=(\d{1,9}))?$/;
const DEFAULT_RETRY_AFTER_S = 1;

/** The fault that `text` names, or null when it names none. */
export function parseFault(text: string): Fault | null {
  const parts = SHAPE.exec(text.trim());
  if (!parts) return null;
  const [, kind, numberText, retryText] = parts;
  const amount = numberText === undefined ? null : Number(numberText);
  if (kind === 'status' || kind === 'early-status') {
    return statusFault(kind, amount, retryText === undefined ? null : Number(retryText));
  }
  if (retryText !== undefined) return null;
  switch (kind) {
    case 'hang':
    case 'reset':
    case 'close':
    case 'garbage':
    case 'no-read':
      return amount === null ? { kind } : null;
    case 'hang-after':
    case 'reset-after':
    case 'cut-after':
      return amount === null ? null : { kind, afterPieces: amount };
    case 'drip':
      return amount === null ? null : { kind, gapMs: amount };
    default:
      return null;
  }
}

/** Whether `text` is written as a fault. */
export function isFaultText(text: unknown): text is FaultText {
  return typeof text === 'string' && parseFault(text) !== null;
}

function statusFault(
  kind: StatusFault['kind'],
  status: number | null,
  retryAfterS: number | null,
): Fault | null {
  if (status === null || status < 200 || status > 599) return null;
  // A 429 without Retry-After is rare in the field, so it gets one unless told otherwise.
  return { kind, status, retryAfterS: retryAfterS ?? (status === 429 ? DEFAULT_RETRY_AFTER_S : null) };
}
