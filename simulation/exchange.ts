/**
 * One client of a simulated world and its request, as the daemon's exchange would take it from end to end: told where it
 * may go, it sends, hears what comes back and reports that to the desk; and it may leave at any moment.
 */
import type { UpstreamFailure } from '../src/actors/events.ts';
import type { Exchange, Grant } from '../src/streams/ports.ts';
import type { AnswerHead, RequestDesk } from '../src/streams/requests.ts';
import { type Answer, type Asked, drawAnswer } from './answers.ts';
import { chance, type Draw } from './draw.ts';
import type { WorldSettings } from './scenario.ts';
import type { End, SimulatedSockets } from './sockets.ts';
import type { Timeline } from './timeline.ts';

export type Surroundings = {
  readonly desk: RequestDesk;
  readonly sockets: SimulatedSockets;
  readonly settings: WorldSettings;
  readonly timeline: Timeline;
  /** Statuses, among other words, of answers that the core may have thrown away. */
  readonly retryOn: () => readonly string[];
  /** Told of what must never happen. */
  readonly onBreach: (breach: string) => void;
};

export type ClientTraits = Asked & {
  readonly replayable: boolean;
  readonly draw: Draw;
};

export type Client = Exchange & {
  /** Its request comes in. */
  arrive(): void;
  /** The client goes away. */
  leave(): void;
  /** Ends the tunnel that it has through this backend, if it has one. */
  endTunnel(backend: string): void;
  readonly hasEnded: boolean;
};

/** One attempt over one socket. */
type Attempt = {
  readonly grant: Grant;
  readonly end: End | undefined;
  /** Whether an answer is held back for the core to decide on. */
  isHeld: boolean;
  isOver: boolean;
};

/** @param onEnd called when the request has ended, for whatever reason */
export function createClient(
  surroundings: Surroundings,
  traits: ClientTraits,
  onEnd: (request: number) => void,
): Client {
  const { desk, sockets, settings, timeline, retryOn, onBreach } = surroundings;
  const { draw, replayable } = traits;
  let attempt: Attempt | undefined;
  let request = 0;
  let hasEnded = false;
  let isAnswering = false;

  const finish = () => {
    if (hasEnded) onBreach(`request ${request} ended twice for its client`);
    hasEnded = true;
    onEnd(request);
  };
  const conclude = () => {
    finish();
    desk.close(request);
  };

  const fail = (of: Attempt, reason: UpstreamFailure, written: boolean) => {
    if (of.isOver) return;
    of.isOver = true;
    if (hasEnded) return;
    const { lease } = of.grant;
    const totals = isAnswering ? { bytes: 100, chunks: 2 } : { bytes: 0, chunks: 0 };
    if (isAnswering) conclude();
    desk.failed(request, lease, { reason, written, ...totals });
  };

  const end = (
    of: Attempt,
    head: AnswerHead,
    { isTold, closes }: { isTold: boolean; closes: Answer['closes'] },
  ) => {
    if (of.isOver || hasEnded) return;
    of.isOver = true;
    if (of.isHeld) onBreach(`the answer to request ${request} is held back for good`);
    conclude();
    const { end: over, grant } = of;
    if (over === undefined) return;
    over.traffic = undefined;
    if (closes === 'before') sockets.lose(over, 'closed');
    const answered = isTold ? { status: head.status } : head;
    // What is known of a socket that closes right behind its answer may be old by a moment.
    const reusable = closes === 'not' || (closes === 'before' && chance(draw, 0.5));
    desk.ended(request, grant.lease, { ...answered, bytes: 100, chunks: 3, reusable });
    if (closes === 'not') sockets.rest(over);
  };

  const begin = (of: Attempt, head: AnswerHead, answer: Answer) => {
    if (of.isOver || hasEnded) return;
    if (of.end?.server.fault === 'hang') {
      breakLater(of, { afterMs: settings.headersTimeoutMs, reason: 'headersTimeout' });
      return;
    }
    const isHeld = replayable && head.status !== 101 && retryOn().includes(String(head.status));
    let isTold = isHeld;
    if (isHeld) {
      of.isHeld = true;
      desk.started(request, of.grant.lease, { ...head, held: true });
    } else {
      isAnswering = true;
      isTold = !answer.isWhole;
      if (isTold) desk.started(request, of.grant.lease, head);
    }
    const { endsAfterMs, breaks, closes } = answer;
    if (endsAfterMs === 0 && answer.isWhole) end(of, head, { isTold, closes });
    else if (endsAfterMs !== undefined) timeline.after(endsAfterMs, () => end(of, head, { isTold, closes }));
    else if (breaks !== undefined) breakLater(of, breaks);
  };

  const breakLater = (of: Attempt, { afterMs, reason }: NonNullable<Answer['breaks']>) => {
    timeline.after(afterMs, () => {
      if (of.end !== undefined && !of.isOver) sockets.lose(of.end, reason);
    });
  };

  const send = (grant: Grant) => {
    const over = sockets.ends.get(grant.socket);
    const next: Attempt = { grant, end: over, isHeld: false, isOver: false };
    attempt = next;
    if (over === undefined) {
      fail(next, 'closed', false);
      return;
    }
    if (over.traffic !== undefined) onBreach(`two requests are on socket ${grant.socket}`);
    over.cancel?.();
    over.cancel = undefined;
    const isWritten = !over.isDying || chance(draw, 0.5);
    over.traffic = { lost: (reason) => fail(next, reason, isWritten) };
    const answer: Answer = over.isDying
      ? {
          head: undefined,
          endsAfterMs: undefined,
          breaks: { afterMs: 1, reason: 'closed' },
          isWhole: false,
          closes: 'not',
        }
      : drawAnswer(over.server, traits, settings);
    const { head, breaks } = answer;
    if (head !== undefined) timeline.after(head.afterMs, () => begin(next, headOf(head), answer));
    else if (breaks !== undefined) breakLater(next, breaks);
  };

  const client: Client = {
    get hasEnded() {
      return hasEnded;
    },
    arrive() {
      request = desk.receive(
        {
          requestId: 'simulated',
          method: 'POST',
          path: '/v1/chat/completions',
          bodyBytes: replayable ? 100 : -1,
          replayable,
        },
        client,
      );
    },
    granted(grant) {
      request = grant.request;
      if (hasEnded) onBreach(`request ${request} was granted a lease after its end`);
      if (attempt !== undefined && !attempt.isOver) onBreach(`request ${request} is sent twice at a time`);
      if (isAnswering)
        onBreach(`request ${request} is sent again though its client has the beginning of an answer`);
      send(grant);
    },
    passed(lease) {
      if (attempt?.grant.lease !== lease || !attempt.isHeld) return;
      attempt.isHeld = false;
      isAnswering = true;
    },
    discarded(lease) {
      if (attempt?.grant.lease !== lease || !attempt.isHeld) return;
      attempt.isOver = true;
    },
    rejected(rejection) {
      request = rejection.request;
      if (isAnswering)
        onBreach(`request ${request} is rejected though its client has the beginning of an answer`);
      conclude();
    },
    leave() {
      if (hasEnded) return;
      finish();
      if (attempt !== undefined) attempt.isOver = true;
      desk.aborted(request);
    },
    endTunnel(backend) {
      if (!traits.isTunnel || !isAnswering || attempt?.grant.backend !== backend) return;
      end(attempt, { status: 101 }, { isTold: true, closes: 'after' });
    },
  };
  return client;
}

function headOf({ status, retryAfterMs }: AnswerHead): AnswerHead {
  return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
}
