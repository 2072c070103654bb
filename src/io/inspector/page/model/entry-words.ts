/** One line of words for each fact and decision. The whole entry is shown when its line is opened. */
import type { Decision, Entry, Fact } from '../../../../actors/events.ts';
import { bytes, counted, duration } from './words.ts';

/** @returns what happened */
export function factWords(fact: Fact): string {
  switch (fact.type) {
    case 'gateway.started':
      return `the gateway started with ${counted(fact.config.backends.length, 'backend')}`;
    case 'gateway.stopping':
      return 'the gateway was told to stop';
    case 'listener.closed':
      return 'the last connection of a client is gone';
    case 'config.reloaded':
      return `config reloaded, ${counted(fact.config.backends.length, 'backend')}`;
    case 'config.rejected':
      return `config refused: ${counted(fact.problems, 'problem')}`;
    case 'probe.succeeded':
      return `probe of ${fact.backend} succeeded: status ${fact.status} in ${duration(fact.latencyMs)}`;
    case 'probe.failed':
      return `probe of ${fact.backend} failed: ${fact.reason} after ${duration(fact.latencyMs)}`;
    case 'operator.drained':
      return `an operator drained ${fact.backend}`;
    case 'operator.restored':
      return `an operator restored ${fact.backend}`;
    case 'timer.fired':
      return fact.timer === 'queue'
        ? `request ${fact.request} has waited as long as it may`
        : 'time to look for idle sockets';
    default:
      return trafficWords(fact);
  }
}

type Traffic = Extract<
  Fact,
  { type: `request.${string}` | `socket.${string}` | `response.${string}` | `client.${string}` }
>;

function trafficWords(fact: Traffic): string {
  switch (fact.type) {
    case 'request.received':
      return `request ${fact.request}: ${fact.method} ${fact.path}${fact.bodyBytes < 0 ? '' : `, ${bytes(fact.bodyBytes)}`}`;
    case 'socket.opened':
      return `socket ${fact.socket} to ${fact.backend} opened`;
    case 'socket.failed':
      return `socket ${fact.socket} to ${fact.backend} failed: ${fact.reason}`;
    case 'socket.closed':
      return `socket ${fact.socket} to ${fact.backend} closed`;
    case 'response.started':
      return `response to request ${fact.request} began: status ${fact.status}`;
    case 'response.ended':
      return `response to request ${fact.request} ended: status ${fact.status}, ${bytes(fact.bytes)} in ${counted(fact.chunks, 'piece')}`;
    case 'response.failed':
      return `response to request ${fact.request} failed: ${fact.reason}${fact.fault === undefined ? '' : ` (${fact.fault})`}`;
    case 'client.aborted':
      return fact.because === undefined
        ? `the client of request ${fact.request} left`
        : `request ${fact.request} was given up: ${fact.because}`;
  }
}

/** @returns what the core decided */
export function decisionWords(decision: Decision): string {
  switch (decision.type) {
    case 'backend.changed':
      return `${decision.backend} is ${decision.to}: ${decision.reason}`;
    case 'backend.selected':
      return `${decision.backend} for request ${decision.request}`;
    case 'socket.requested':
      return `open socket ${decision.socket} to ${decision.backend}`;
    case 'lease.granted':
      return `request ${decision.request} on socket ${decision.socket}${decision.reused ? ', reused' : ''}`;
    case 'lease.released':
      return `lease ${decision.lease} at ${decision.backend} released: ${decision.outcome}`;
    case 'socket.evicted':
      return `close socket ${decision.socket} to ${decision.backend}: ${decision.reason}`;
    case 'request.queued':
      return `request ${decision.request} waits, ${decision.length} in line`;
    case 'request.rejected':
      return `request ${decision.request} rejected: ${decision.code}`;
    case 'request.retried':
      return `request ${decision.request} again, ${decision.from} failed it: ${decision.reason}`;
    case 'response.passed':
      return `the answer to request ${decision.request} is passed on: ${decision.because}`;
    case 'response.discarded':
      return `answer ${decision.status} of ${decision.backend} to request ${decision.request} is thrown away`;
    case 'backend.paused':
      return `${decision.backend} asked to be left alone`;
    case 'config.applied':
      return appliedWords(decision);
    case 'gateway.stopped':
      return 'the gateway has stopped';
  }
}

function appliedWords({ added, removed, changed }: Extract<Decision, { type: 'config.applied' }>): string {
  const parts = [
    ['added', added],
    ['removed', removed],
    ['changed', changed],
  ] as const;
  const words = parts.flatMap(([word, ids]) => (ids.length === 0 ? [] : [`${word} ${ids.join(', ')}`]));
  return `config applied: ${words.length === 0 ? 'nothing changed' : words.join('; ')}`;
}

/** How a line of the list looks: whether it tells of trouble, of a change, or of everyday work. */
export type Tone = 'bad' | 'change' | 'plain';

export function toneOf({ fact, decisions }: Entry): Tone {
  if (/failed|rejected|aborted/.test(fact.type)) return 'bad';
  if (decisions.some(({ type }) => type === 'request.rejected' || type === 'request.retried')) return 'bad';
  const isChange = decisions.some(({ type }) => type === 'backend.changed' || type === 'config.applied');
  return isChange || /^(?:gateway|config|operator)\./.test(fact.type) ? 'change' : 'plain';
}
