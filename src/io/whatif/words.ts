/** Numbers, times and events in words, the same in the text and on the page. */
import type { Decision, Fact } from '../../actors/events.ts';

/** @returns `1,234,567` */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

/** @returns `one, two and three` */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** A length of time in the unit that reads best; a dash for none. */
export function lasting(ms: number | null): string {
  if (ms === null) return '-';
  if (ms === 0) return '0';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  return hours > 0
    ? `${hours} h ${minutes % 60} min`
    : `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
}

/** Local time, as in the other reports. */
export function dayAndTime(at: number): string {
  const date = new Date(at);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  return `${day} ${timeOfDay(at)}`;
}

export function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** A value of the config: plain values as they are, backends by what tells them apart. */
export function shownValue(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  return value.length === 0 ? '(none)' : value.map(shownItem).join(', ');
}

function shownItem(item: unknown): string {
  if (typeof item !== 'object' || item === null || !('id' in item)) return String(item);
  return 'weight' in item && item.weight !== 1 ? `${item.id} (weight ${item.weight})` : String(item.id);
}

/** What happened, without the numbers that only machines need. */
export function factInWords(fact: Fact): string {
  switch (fact.type) {
    case 'request.received':
      return `request ${fact.request} received (${fact.requestId})`;
    case 'probe.succeeded':
      return `probe of ${fact.backend} succeeded`;
    case 'probe.failed':
      return `probe of ${fact.backend} failed: ${fact.reason}`;
    case 'response.ended':
      return `response to request ${fact.request} ended`;
    case 'response.failed':
      return `response to request ${fact.request} failed: ${fact.reason}`;
    case 'socket.failed':
      return `a connection to ${fact.backend} failed: ${fact.reason}`;
    case 'client.aborted':
      return `the client of request ${fact.request} left`;
    case 'timer.fired':
      return fact.timer === 'queue'
        ? `the wait of request ${fact.request} was over`
        : 'idle sockets were swept';
    case 'operator.drained':
    case 'operator.restored':
      return `${fact.backend} ${fact.type === 'operator.drained' ? 'drained' : 'restored'} by an operator`;
    default:
      return fact.type;
  }
}

export function decisionsInWords(decisions: readonly Decision[]): string {
  return decisions.length === 0 ? 'nothing of note' : decisions.map(decisionInWords).join('; ');
}

function decisionInWords(decision: Decision): string {
  switch (decision.type) {
    case 'backend.changed':
      return `${decision.backend} ${decision.from} -> ${decision.to} (${decision.reason})`;
    case 'backend.selected':
      return `request ${decision.request} to ${decision.backend}`;
    case 'request.queued':
      return `request ${decision.request} waits`;
    case 'request.rejected':
      return `request ${decision.request} rejected: ${decision.code}`;
    case 'request.retried':
      return `request ${decision.request} retried after ${decision.from} failed (${decision.reason})`;
    default:
      return decision.type;
  }
}

/** How a request ended, as a person would say it. */
export function outcomeInWords(outcome: string): string {
  switch (outcome) {
    case 'error':
      return 'answered 5xx';
    case 'broken':
      return 'broken off';
    case 'aborted':
      return 'client left';
    case 'underWay':
      return 'under way at the end';
    case 'served':
      return 'served';
    default:
      return `rejected, ${outcome}`;
  }
}
