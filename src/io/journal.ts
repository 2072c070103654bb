/** What of the entries an operator should read as it happens: a projection of facts and decisions into the log. */
import type { Observable, Subscription } from 'rxjs';
import type { AnswerFault, Decision, Entry, Fact } from '../actors/events.ts';
import { failureWords, faultWords } from './explain/failure-words.ts';
import { cutWords } from './explain/words.ts';
import { adviceFor } from './failures.ts';
import type { Logger } from './log.ts';

/** Lines about single requests in one second, beyond which they are only counted: a storm must not fill the disk. */
const REQUEST_LINES_PER_S = 10;

export function writeJournal(entries$: Observable<Entry>, log: Logger): Subscription {
  const perRequest = limited(log);
  return entries$.subscribe(({ at, fact, decisions }) => {
    for (const decision of decisions) note(decision, causeOf(fact, at, decision), log, perRequest);
    if (fact.type === 'client.aborted' && fact.because !== undefined) {
      const { type: _, ...fields } = fact;
      perRequest(at, fields, `request ${fact.request} given up: ${cutWords(fact.because)}`);
    }
    if (fact.type === 'response.failed') noteBrokenOff(fact, at, decisions, perRequest);
  });
}

type RequestNote = (at: number, fields: object, message: string) => void;

type Cause = {
  readonly at: number;
  /** What is known of the failure beyond its reason, for the end of a line. */
  readonly hint: string;
  /** The same, for programs. */
  readonly fields: { readonly fault?: AnswerFault };
};

function causeOf(fact: Fact, at: number, decision: Decision): Cause {
  // A backend may be ejected for it, and others rejected who waited for that backend: theirs was another failure, or none.
  if ('request' in fact && 'request' in decision && decision.request !== fact.request)
    return { at, hint: '', fields: {} };
  if (fact.type === 'response.failed' && fact.fault !== undefined) {
    const { fault } = fact;
    return { at, hint: `; what is wrong with its answer: ${faultWords(fault)}`, fields: { fault } };
  }
  const advice = 'reason' in fact ? adviceFor(fact.reason) : undefined;
  return { at, hint: advice === undefined ? '' : `; ${advice}`, fields: {} };
}

function note(decision: Decision, cause: Cause, log: Logger, perRequest: RequestNote): void {
  const { at, hint } = cause;
  switch (decision.type) {
    case 'backend.changed': {
      const { backend, from, to, reason } = decision;
      const level = to === 'unhealthy' || to === 'ejected' ? 'warn' : 'info';
      log[level]({ backend, from, to, reason }, `backend ${backend}: ${from} -> ${to} (${reason})${hint}`);
      break;
    }
    case 'config.applied': {
      const { added, removed, changed } = decision;
      log.info({ added, removed, changed }, `config applied: ${inWords({ added, removed, changed })}`);
      break;
    }
    case 'request.rejected': {
      const { type: _, ...fields } = decision;
      perRequest(at, { ...fields, ...cause.fields }, rejectionInWords(decision) + hint);
      break;
    }
    case 'response.passed': {
      if (decision.because !== 'budgetExhausted') break;
      const { type: _, ...fields } = decision;
      perRequest(at, fields, `request ${decision.request} not retried: the retry budget is used up`);
      break;
    }
    case 'backend.paused': {
      const { backend, until } = decision;
      perRequest(at, { backend, until }, `backend ${backend} asked to be left alone for ${until - at} ms`);
      break;
    }
    case 'request.retried': {
      const { type: _, ...fields } = decision;
      perRequest(
        at,
        { ...fields, ...cause.fields },
        `request ${decision.request} retried: ${decision.from} failed (${decision.reason})${hint}`,
      );
      break;
    }
    default:
      break;
  }
}

/** Writes the first lines of each second and says at the next one how many it left out. */
function limited(log: Logger): RequestNote {
  let second = 0;
  let written = 0;
  let left = 0;
  return (at, fields, message) => {
    const now = Math.floor(at / 1000);
    if (now !== second) {
      if (left > 0) log.warn({ left }, `${left} further lines about requests left out`);
      second = now;
      written = 0;
      left = 0;
    }
    if (written < REQUEST_LINES_PER_S) {
      written += 1;
      log.warn(fields, message);
    } else left += 1;
  };
}

/** An answer that failed after its head is neither retried nor rejected: only the end of its lease tells of it. */
function noteBrokenOff(
  { request, reason, fault, bytes }: Extract<Fact, { type: 'response.failed' }>,
  at: number,
  decisions: readonly Decision[],
  perRequest: RequestNote,
): void {
  const released = decisions.find((decision) => decision.type === 'lease.released');
  const goesOn = decisions.some(
    (decision) =>
      (decision.type === 'request.retried' || decision.type === 'request.rejected') &&
      decision.request === request,
  );
  if (released === undefined || goesOn) return;
  const { backend } = released;
  perRequest(
    at,
    { request, backend, reason, ...(fault === undefined ? {} : { fault }), bytes },
    `request ${request}: ${backend} broke off its answer after ${bytes} bytes (${failureWords(reason, fault)})`,
  );
}

function rejectionInWords({
  request,
  code,
  backend,
  reason,
  withheld,
}: Extract<Decision, { type: 'request.rejected' }>): string {
  const cause = backend === undefined ? '' : ` (last failure: ${backend}, ${reason})`;
  const why = withheld === undefined ? '' : ', not retried: the retry budget is used up';
  return `request ${request} rejected: ${code}${cause}${why}`;
}

/** Such as `added a, b; changed c`. */
function inWords(differences: Readonly<Record<string, readonly string[]>>): string {
  const parts = Object.entries(differences).filter(([, ids]) => ids.length > 0);
  return parts.length === 0
    ? 'no backend is different'
    : parts.map(([what, ids]) => `${what} ${ids.join(', ')}`).join('; ');
}
