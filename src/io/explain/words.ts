/** The core's words in sentences: what a candidate's verdict means, what a fact was, why a request was rejected. */

import type { ClientCut, Decision, Entry, Fact, RetryRefusal } from '../../actors/events.ts';
import type { Candidate, Standing } from '../../actors/explain/candidates.ts';
import type { LifePhase } from '../../actors/explain/life.ts';
import type { RetryReason } from '../../actors/explain/retry.ts';
import { failureWords } from './failure-words.ts';
import { clock, clockBeside, counted, grouped } from './format.ts';

/** Why a candidate was taken or passed over. */
export function whyOf(candidate: Candidate, all: readonly Candidate[], at: number): string {
  const { verdict, pool } = candidate;
  switch (verdict) {
    case 'taken':
      return whyTaken(candidate, all);
    case 'later':
      return whyLater(candidate, all);
    case 'full':
      return pool.limit < pool.size
        ? `it starts slowly, with ${pool.limit} of ${pool.size} sockets, and has ${pool.leased} on lease`
        : `its pool is full (${pool.leased} of ${pool.size})`;
    case 'paused':
      return 'it asked to be left alone (Retry-After)';
    case 'failed':
      return 'it failed this request before';
    default:
      return whyNotHealthy(candidate, at);
  }
}

/** Why a request was given up whose client had not left. */
export function cutWords(because: ClientCut): string {
  switch (because) {
    case 'idleReader':
      return 'its client read nothing of the answer for too long (server.idleReaderTimeoutMs)';
    case 'bodyTimeout':
      return 'its client sent nothing of the body for too long (server.bodyIdleTimeoutMs)';
    case 'bodyTooLarge':
      return 'its body turned out to be too long (server.maxBodyBytes)';
    case 'badRequest':
      return 'the rest of it was not valid HTTP';
  }
}

function raised({ currentWeight, effectiveWeight }: Candidate): number {
  return currentWeight.before + effectiveWeight;
}

/** nginx's sum: the current weight before the pick, and the weight it is raised by. */
function sum({ currentWeight: { before }, effectiveWeight }: Candidate): string {
  return `${before} + ${effectiveWeight}`;
}

function whyTaken(candidate: Candidate, all: readonly Candidate[]): string {
  const others = all.filter(({ verdict }) => verdict === 'later');
  if (others.length === 0) return 'the only one that can take it';
  const total = `${sum(candidate)} = ${raised(candidate)}`;
  if (others.every((other) => raised(other) < raised(candidate))) return `${total} is the highest`;
  return `${total}, and first in the config among equals`;
}

function whyLater(candidate: Candidate, all: readonly Candidate[]): string {
  const taken = all.find(({ verdict }) => verdict === 'taken');
  if (taken === undefined) return 'it could take the request';
  const isEqual = raised(taken) === raised(candidate);
  const compared = `its turn comes later: ${sum(candidate)} ${isEqual ? '=' : '<'} ${sum(taken)}`;
  return isEqual ? `${compared}, and ${taken.backend} stands first in the config` : compared;
}

/** @returns `unhealthy since 03:12:07: 3 of 3 probes failed, the last with: refused` */
export function whyNotHealthy(standing: Standing, at: number): string {
  const { state, since, reason, probes } = standing;
  const when = since === null ? ' since before what the log tells' : ` since ${clockBeside(since, at)}`;
  if (state !== 'unhealthy') return `${state}${when}: ${reason}`;
  if (reason === 'configured') {
    return `unhealthy${when}: new, with ${probes.consecutiveSuccesses} of ${probes.rise} successful probes`;
  }
  // Where something else than probes brought it here, its reason alone would be a riddle.
  const isByProbes = reason.includes('probes');
  const last = probes.last === null ? 'no probe yet' : `the last probe: ${probes.last}`;
  return `unhealthy${when}: ${reason}${isByProbes ? '' : `, and its probes fail; ${last}`}`;
}

const RETRY_WORDS: Readonly<Record<RetryReason, string>> = {
  'stale-socket': 'safe, since the backend had closed the kept socket before it saw the request',
  'nothing-written': 'safe, since nothing of it had reached the backend',
  'empty-response': 'allowed by retry.on: emptyResponse, since no byte of an answer had come',
  'status-allowed': 'allowed by retry.on, since the client had nothing of the answer yet',
  'budget-used-up': 'not sent again: the retry budget is used up (retry.budgetShare)',
  'may-be-at-work': 'not sent again: the backend had it and may be at work on it',
  'body-gone': 'not sent again: its body was too long to be kept for a second time',
  'not-allowed': 'not sent again: the backend may have begun it, and retry.on does not have emptyResponse',
  'attempts-used-up': 'not sent again: retry.attempts is used up',
  'no-other-backend': 'it could be sent again, but there is no other healthy backend that has not failed it',
  'answer-begun': 'not sent again: the client has a part of the answer already',
};

const REFUSAL_WORDS: Readonly<Record<RetryRefusal, string>> = {
  notConfigured: 'retry.on no longer has its status',
  notReplayable: 'its body was too long to be kept for a second time',
  attemptsUsedUp: 'retry.attempts is used up',
  noOtherBackend: 'no other backend could take it at once',
  budgetExhausted: 'the retry budget is used up (retry.budgetShare)',
};

/** Why an answer that might have been thrown away goes to the client. */
export function refusalWords(because: RetryRefusal): string {
  return REFUSAL_WORDS[because];
}

/** Why a request was sent again, or not. */
export function retryWords(why: RetryReason): string {
  return RETRY_WORDS[why];
}

const PHASE_WORDS: Readonly<Record<LifePhase, string>> = {
  new: 'as it came in',
  waiting: 'while it waited in line',
  connecting: 'while the connection was being opened',
  sent: 'before the first byte of the answer',
  answering: 'while the answer came',
};

export function phaseWords(phase: LifePhase): string {
  return PHASE_WORDS[phase];
}

/** What a fact says, in a few words. */
export function factWords(fact: Fact): string {
  switch (fact.type) {
    case 'gateway.started':
      return `the gateway (version ${fact.version}) started`;
    case 'gateway.stopping':
      return 'the gateway began to stop';
    case 'listener.closed':
      return 'the gateway stopped listening';
    case 'config.reloaded':
      return 'the config was reloaded';
    case 'config.rejected':
      return `a reload was refused (${counted(fact.problems, 'problem')})`;
    case 'probe.succeeded':
      return `a probe of ${fact.backend} succeeded (status ${fact.status}, ${fact.latencyMs} ms)`;
    case 'probe.failed':
      return `a probe of ${fact.backend} failed (${fact.reason}, ${fact.latencyMs} ms)`;
    case 'request.received':
      return `request ${fact.request} arrived: ${fact.method} ${fact.path}`;
    case 'socket.opened':
      return `socket ${fact.socket} to ${fact.backend} opened`;
    case 'socket.failed':
      return `socket ${fact.socket} to ${fact.backend} could not be opened (${fact.reason})`;
    case 'socket.closed':
      return `${fact.backend} closed socket ${fact.socket}`;
    case 'response.started':
      return fact.held === true
        ? `request ${fact.request} was answered with status ${fact.status}, held back`
        : `request ${fact.request} got its first byte (status ${fact.status})`;
    case 'response.ended':
      return `request ${fact.request} ended (${grouped(fact.bytes)} bytes)`;
    case 'response.failed':
      return `request ${fact.request} failed at its backend (${failureWords(fact.reason, fact.fault)})`;
    case 'client.aborted':
      return fact.because === undefined
        ? `the client of request ${fact.request} left`
        : `request ${fact.request} was given up: ${cutWords(fact.because)}`;
    case 'timer.fired':
      return timerWords(fact);
    case 'operator.drained':
      return `an operator drained ${fact.backend}`;
    case 'operator.restored':
      return `an operator restored ${fact.backend}`;
  }
}

function timerWords(fact: Extract<Fact, { type: 'timer.fired' }>): string {
  switch (fact.timer) {
    case 'sweep':
      return 'idle sockets were swept';
    case 'queue':
      return `request ${fact.request} had waited too long`;
    case 'ejection':
      return `the ejection of ${fact.backend} was over`;
  }
}

/** What the core decided about it; the follow-ups that go without saying are left out. */
export function decisionWords({ fact, decisions }: Entry): string[] {
  const about = 'request' in fact ? fact.request : undefined;
  return decisions.flatMap((decision) => {
    const words = wordsOfDecision(decision);
    if (words === undefined) return [];
    const isOther = 'request' in decision && decision.request !== about;
    return [isOther ? `request ${decision.request} ${words}` : words];
  });
}

function wordsOfDecision(decision: Decision): string | undefined {
  switch (decision.type) {
    case 'backend.changed':
      return `${decision.backend} ${decision.from} → ${decision.to}: ${decision.reason}`;
    case 'backend.selected':
      return `to ${decision.backend}`;
    case 'lease.granted':
      return decision.reused ? `over idle socket ${decision.socket}` : `sent over it`;
    case 'request.queued':
      return `waits (${decision.length} in line)`;
    case 'request.rejected':
      return `rejected: ${decision.code}`;
    case 'response.discarded':
      return `the answer of ${decision.backend} is thrown away`;
    case 'response.passed':
      return `passed on to the client`;
    case 'backend.paused':
      return `${decision.backend} is spared until ${clock(decision.until)}`;
    case 'request.retried':
      return `sent again`;
    case 'socket.evicted':
      return `socket ${decision.socket} closed (${decision.reason})`;
    default:
      return undefined;
  }
}
