/**
 * Entries as messages between the parts of the gateway: what came from outside, and what selector, pool and machines told
 * one another because of it. Derived from fact and decisions alone; nothing of it is recorded.
 */
import type { Decision, Entry, Fact } from '../../../../actors/events.ts';
import { decisionWords, factWords } from './entry-words.ts';

export type LaneId = 'outside' | 'selector' | 'pool' | `machine:${string}` | 'machines';

export type Lane = { readonly id: LaneId; readonly title: string };

export type Message = {
  readonly seq: number;
  readonly at: number;
  /** Whether it is the fact with which the entry begins. */
  readonly opens: boolean;
  readonly from: LaneId;
  /** The same lane where it concerns all, which is drawn as a line across. */
  readonly to: LaneId;
  readonly type: string;
  readonly words: string;
  readonly isBad: boolean;
};

type Route = readonly [from: LaneId, to: LaneId];

/** @returns what was said, in order */
export function messagesOf(entries: readonly Entry[]): Message[] {
  return entries.flatMap(({ seq, at, fact, decisions }) => [
    messageOf({ seq, at, opens: true }, fact.type, routeOfFact(fact), factWords(fact)),
    ...decisions.map((decision) =>
      messageOf({ seq, at, opens: false }, decision.type, routeOfDecision(decision), decisionWords(decision)),
    ),
  ]);
}

function messageOf(
  place: Pick<Message, 'seq' | 'at' | 'opens'>,
  type: string,
  [from, to]: Route,
  words: string,
): Message {
  return { ...place, from, to, type, words, isBad: /failed|rejected|aborted|retried/.test(type) };
}

const ACROSS: Route = ['outside', 'outside'];

function routeOfFact(fact: Fact): Route {
  switch (fact.type) {
    case 'probe.succeeded':
    case 'probe.failed':
    case 'operator.drained':
    case 'operator.restored':
      return ['outside', `machine:${fact.backend}`];
    case 'request.received':
      return ['outside', 'selector'];
    case 'gateway.started':
    case 'gateway.stopping':
    case 'listener.closed':
    case 'config.reloaded':
    case 'config.rejected':
      return ACROSS;
    default:
      return ['outside', 'pool'];
  }
}

function routeOfDecision(decision: Decision): Route {
  switch (decision.type) {
    case 'backend.changed':
      return [`machine:${decision.backend}`, 'selector'];
    case 'backend.selected':
    case 'request.queued':
      return ['selector', 'pool'];
    case 'lease.released':
    case 'request.retried':
      return ['pool', 'selector'];
    case 'response.discarded':
    case 'backend.paused':
      return ['pool', 'selector'];
    case 'request.rejected':
    case 'response.passed':
      return ['selector', 'outside'];
    case 'socket.requested':
    case 'socket.evicted':
    case 'lease.granted':
      return ['pool', 'outside'];
    case 'config.applied':
    case 'gateway.stopped':
      return ACROSS;
  }
}

/**
 * The lanes to draw: always the three that all traffic passes, and those of the machines that are spoken to. Where these
 * are too many they share one.
 *
 * @param order the backends as they are listed elsewhere
 */
export function lanesFor(
  messages: readonly Message[],
  mostMachines: number,
  order: readonly string[],
): Lane[] {
  const spokenTo = new Set(messages.flatMap(({ from, to }) => [from, to]).filter(isMachine));
  const inOrder = order.map((id) => `machine:${id}` as const).filter((id) => spokenTo.has(id));
  const machines = new Set([...inOrder, ...spokenTo]);
  const own: Lane[] =
    machines.size <= mostMachines
      ? [...machines].map((id) => ({ id, title: id.slice('machine:'.length) }))
      : [{ id: 'machines', title: `${machines.size} machines` }];
  return [
    { id: 'outside', title: 'outside' },
    { id: 'selector', title: 'selector' },
    { id: 'pool', title: 'pool' },
    ...own,
  ];
}

function isMachine(id: LaneId): id is `machine:${string}` {
  return id.startsWith('machine:');
}

/** @returns the place of a lane from the left; that of the shared one for machines that have none of their own */
export function laneIndex(lanes: readonly Lane[], id: LaneId): number {
  const index = lanes.findIndex((lane) => lane.id === id);
  return index >= 0 ? index : lanes.findIndex((lane) => lane.id === 'machines');
}
