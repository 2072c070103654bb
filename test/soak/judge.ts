/** Says of what became of a request whether it is right, given what was done to its backend meanwhile. */
import type { Ask, Outcome } from './client.ts';
import type { Hurts } from './hurts.ts';
import type { Fault, Wish } from './wish.ts';
import { pieceOf } from './wish.ts';

/** The part under which the gateway's own process is hurt. */
export const GATEWAY = 'gateway';
/** The part that stands for file descriptors: while there are none nothing new can be opened, and all else goes on. */
export const DESCRIPTORS = 'descriptors';

/**
 * @param since when the request began, on the clock of the hurts
 * @returns what is wrong; undefined if nothing is
 */
export function faultOf(
  { wish, leave, readPauseMs }: Ask,
  outcome: Outcome,
  hurts: Hurts,
  since: number,
): string | undefined {
  const isHurt = (part: string) => hurts.touched(part, since) || hurts.touched(GATEWAY, since);
  const why = `${wish.marker} (${wish.framing}, ${wish.pieces} pieces${wish.fault ? `, ${wish.fault.kind}` : ''})`;
  const expected = wish.fault;
  switch (outcome.kind) {
    case 'whole':
      return expected === undefined ? undefined : `${why}: whole, although its backend was to break it off`;
    case 'left':
      return leave === undefined ? `${why}: left, although its client was to stay` : undefined;
    case 'hung':
      return `${why}: no end came`;
    case 'wrong':
      return `${why}: ${outcome.what}`;
    case 'passed':
      if (expected?.kind === 'status' && expected.status === outcome.status) return undefined;
      return `${why}: status ${outcome.status} from ${outcome.backend}, which it was not to send`;
    case 'unanswered':
      return isHurt(DESCRIPTORS) ? undefined : `${why}: no answer (${outcome.code})`;
    case 'refused':
      return isDueRefusal(outcome, expected, isHurt) || isHurt(DESCRIPTORS)
        ? undefined
        : `${why}: refused, ${JSON.stringify(outcome)}`;
    case 'short':
      // Where only the end of the connection tells the end, a killed backend looks like one that is done.
      if (wish.framing === 'closing' && (isHurt(outcome.backend) || expected?.kind === 'close'))
        return undefined;
      return `${why}: came to an end after ${outcome.right} right bytes as if it were whole`;
    case 'told':
    case 'cut':
      if (isHurt(outcome.backend)) return undefined;
      if (expected === undefined) return `${why}: broken off, ${JSON.stringify(outcome)}`;
      // A client of node's that pauses loses what it has not read yet when its connection ends within an answer.
      return readPauseMs > 0 ? undefined : lossOf(wish, outcome, why);
  }
}

function isDueRefusal(
  { code, backend }: Extract<Outcome, { kind: 'refused' }>,
  fault: Fault | undefined,
  isHurt: (part: string) => boolean,
): boolean {
  switch (code) {
    // Right whenever there is more to do than backends to do it; how often it happens is shown.
    case 'queue_full':
    case 'queue_timeout':
      return true;
    case 'backend_failed':
    case 'backend_unreachable':
    case 'backend_headers_timeout':
    case 'backend_connect_timeout':
      return fault !== undefined || isHurt(backend);
    default:
      return isHurt('');
  }
}

/** A backend that ends in order after so many pieces has sent them all, and they must have come. */
function lossOf(
  wish: Wish,
  outcome: { readonly right: number; readonly backend: string },
  why: string,
): string | undefined {
  if (wish.fault?.kind !== 'close' && wish.fault?.kind !== 'stall') return undefined;
  let sent = 0;
  for (let index = 0; index < wish.fault.after; index += 1) {
    sent += Buffer.byteLength(pieceOf(wish, outcome.backend, index));
  }
  return outcome.right >= sent ? undefined : `${why}: ${sent} bytes were sent, ${outcome.right} came`;
}
