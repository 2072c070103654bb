/**
 * One client of a simulated world and its request. It stands in for the daemon's exchange (`src/io/exchange.ts`): granted a
 * lease, it sends, waits for what the backend answers and reports that to the desk. It may leave at any moment.
 */
import type { UpstreamFailure } from '../src/actors/events.ts';
import type { Exchange, Grant, Rejection } from '../src/streams/ports.ts';
import type { AnswerHead, RequestDesk } from '../src/streams/requests.ts';
import { type Answer, type Asked, drawAnswer } from './answers.ts';
import { chance, type Draw } from './draw.ts';
import type { WorldSettings } from './scenario.ts';
import type { Connection, SimulatedSockets } from './sockets.ts';
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

/** One attempt over one socket. */
type Attempt = {
  readonly grant: Grant;
  readonly connection: Connection | undefined;
  /** Whether an answer is held back for the core to decide on. */
  isHeld: boolean;
  isOver: boolean;
};

const ARRIVAL = { requestId: 'simulated', method: 'POST', path: '/v1/chat/completions' };

/** What a request that meets a dying socket gets. */
const LOST: Answer = {
  head: undefined,
  endsAfterMs: undefined,
  breaks: { afterMs: 1, reason: 'closed' },
  isWhole: false,
  closes: 'not',
};

export class Client implements Exchange {
  hasEnded = false;
  readonly arrivedAt: number;
  readonly #around: Surroundings;
  readonly #traits: ClientTraits;
  readonly #onEnd: (client: Client) => void;
  #attempt: Attempt | undefined;
  #request = 0;
  /** Whether its client has received the beginning of an answer. */
  #isAnswering = false;

  /** @param onEnd called when the request has ended, for whatever reason */
  constructor(around: Surroundings, traits: ClientTraits, onEnd: (client: Client) => void) {
    this.#around = around;
    this.#traits = traits;
    this.#onEnd = onEnd;
    this.arrivedAt = around.timeline.now();
  }

  /** Its request comes in. */
  arrive(): void {
    const { replayable } = this.#traits;
    const arrival = { ...ARRIVAL, bodyBytes: replayable ? 100 : -1, replayable };
    this.#request = this.#around.desk.receive(arrival, this);
  }

  granted(grant: Grant): void {
    this.#request = grant.request;
    if (this.hasEnded) this.#breach('was granted a lease after its end');
    if (this.#attempt !== undefined && !this.#attempt.isOver) this.#breach('is sent twice at a time');
    if (this.#isAnswering) this.#breach('is sent again though its client has the beginning of an answer');
    this.#send(grant);
  }

  passed(lease: number): void {
    const attempt = this.#attempt;
    if (attempt?.grant.lease !== lease || !attempt.isHeld) return;
    attempt.isHeld = false;
    this.#isAnswering = true;
  }

  discarded(lease: number): void {
    const attempt = this.#attempt;
    if (attempt?.grant.lease !== lease || !attempt.isHeld) return;
    attempt.isOver = true;
  }

  rejected(rejection: Rejection): void {
    this.#request = rejection.request;
    if (this.#isAnswering) this.#breach('is rejected though its client has the beginning of an answer');
    this.#conclude();
  }

  /** The client goes away. */
  leave(): void {
    if (this.hasEnded) return;
    this.#finish();
    if (this.#attempt !== undefined) this.#attempt.isOver = true;
    this.#around.desk.aborted(this.#request);
  }

  /** Ends the tunnel that it has through this backend, if it has one. */
  endTunnel(backend: string): void {
    const attempt = this.#attempt;
    if (!this.#traits.isTunnel || !this.#isAnswering || attempt?.grant.backend !== backend) return;
    this.#end(attempt, { status: 101 }, true, 'after');
  }

  #breach(what: string): void {
    this.#around.onBreach(`request ${this.#request} ${what}`);
  }

  #finish(): void {
    if (this.hasEnded) this.#breach('ended twice for its client');
    this.hasEnded = true;
    this.#onEnd(this);
  }

  #conclude(): void {
    this.#finish();
    this.#around.desk.close(this.#request);
  }

  #send(grant: Grant): void {
    const { sockets, settings, timeline } = this.#around;
    const connection = sockets.connections.get(grant.socket);
    const attempt: Attempt = { grant, connection, isHeld: false, isOver: false };
    this.#attempt = attempt;
    if (connection === undefined) {
      this.#fail(attempt, 'closed', false);
      return;
    }
    if (connection.traffic !== undefined)
      this.#breach(`is sent over socket ${grant.socket}, which another is on`);
    connection.plan?.cancel();
    connection.plan = undefined;
    const isWritten = !connection.isDying || chance(this.#traits.draw, 0.5);
    connection.traffic = { lost: (reason) => this.#fail(attempt, reason, isWritten) };
    const answer = connection.isDying ? LOST : drawAnswer(connection.server, this.#traits, settings);
    const { head, breaks } = answer;
    if (head !== undefined) timeline.after(head.afterMs, () => this.#begin(attempt, headOf(head), answer));
    else if (breaks !== undefined) this.#breakLater(attempt, breaks);
  }

  #begin(attempt: Attempt, head: AnswerHead, answer: Answer): void {
    if (attempt.isOver || this.hasEnded) return;
    const { desk, settings, timeline, retryOn } = this.#around;
    const { endsAfterMs, breaks, closes, isWhole } = answer;
    if (attempt.connection?.server.fault === 'hang') {
      this.#breakLater(attempt, { afterMs: settings.headersTimeoutMs, reason: 'headersTimeout' });
      return;
    }
    const { lease } = attempt.grant;
    const isHeld = this.#traits.replayable && head.status !== 101 && retryOn().includes(String(head.status));
    let isTold = true;
    if (isHeld) {
      attempt.isHeld = true;
      desk.started(this.#request, lease, { ...head, held: true });
    } else {
      this.#isAnswering = true;
      isTold = !isWhole;
      if (isTold) desk.started(this.#request, lease, head);
    }
    if (endsAfterMs === 0 && isWhole) this.#end(attempt, head, isTold, closes);
    else if (endsAfterMs !== undefined)
      timeline.after(endsAfterMs, () => this.#end(attempt, head, isTold, closes));
    else if (breaks !== undefined) this.#breakLater(attempt, breaks);
  }

  #breakLater(attempt: Attempt, { afterMs, reason }: NonNullable<Answer['breaks']>): void {
    const { timeline, sockets } = this.#around;
    timeline.after(afterMs, () => {
      if (attempt.connection !== undefined && !attempt.isOver) sockets.lose(attempt.connection, reason);
    });
  }

  #fail(attempt: Attempt, reason: UpstreamFailure, written: boolean): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    if (this.hasEnded) return;
    const totals = this.#isAnswering ? { bytes: 100, chunks: 2 } : { bytes: 0, chunks: 0 };
    if (this.#isAnswering) this.#conclude();
    this.#around.desk.failed(this.#request, attempt.grant.lease, { reason, written, ...totals });
  }

  #end(attempt: Attempt, head: AnswerHead, isTold: boolean, closes: Answer['closes']): void {
    if (attempt.isOver || this.hasEnded) return;
    const { sockets, desk } = this.#around;
    attempt.isOver = true;
    if (attempt.isHeld) this.#breach('has an answer that is held back for good');
    this.#conclude();
    const { connection, grant } = attempt;
    if (connection === undefined) return;
    connection.traffic = undefined;
    if (closes === 'before') sockets.lose(connection, 'closed');
    const answered = isTold ? { status: head.status } : head;
    // If the close comes right behind the answer, the gateway may or may not have noticed it when the answer ends.
    const reusable = closes === 'not' || (closes === 'before' && chance(this.#traits.draw, 0.5));
    desk.ended(this.#request, grant.lease, { ...answered, bytes: 100, chunks: 3, reusable });
    if (closes === 'not') sockets.rest(connection);
  }
}

function headOf({ status, retryAfterMs }: AnswerHead): AnswerHead {
  return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
}
