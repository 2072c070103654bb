/**
 * Questions of the page, as they stand in a URL, read into plain values within bounds. The gateway's thread does no more
 * than that; the answers are found in a thread of their own.
 */
import type { EntryQuery, StepTo } from './api.ts';

export type Question =
  | {
      readonly ask: 'overview';
      readonly buckets: number;
      readonly shown?: { readonly from?: number; readonly until?: number };
      readonly notes: readonly string[];
    }
  /** Neither: the end of what is known. */
  | { readonly ask: 'moment'; readonly seq?: number; readonly at?: number }
  | { readonly ask: 'entries'; readonly query: EntryQuery & { readonly limit: number } }
  | { readonly ask: 'step'; readonly seq: number; readonly to: StepTo }
  | { readonly ask: 'request'; readonly id: string }
  | { readonly ask: 'chart' };

/** A question that makes no sense; the message says which part, and what would be right. */
export class BadQuestionError extends Error {
  override readonly name = 'BadQuestionError';
}

const MAX_ENTRIES = 500;
const DEFAULT_ENTRIES = 100;
const MAX_BUCKETS = 1000;
const DEFAULT_BUCKETS = 300;
const MAX_ID_LENGTH = 200;
const MAX_TYPES = 50;
const STEPS: readonly string[] = ['nextEntry', 'previousEntry', 'nextChange', 'previousChange'];

/**
 * @param name what is asked: the last part of the path
 * @param notes what the gateway knows of its own recording, for an overview
 * @returns undefined if nothing is asked by this name
 * @throws BadQuestionError
 */
export function readQuestion(
  name: string,
  params: URLSearchParams,
  notes: readonly string[],
): Question | undefined {
  switch (name) {
    case 'overview':
      return {
        ask: 'overview',
        buckets: numberOr(params, 'buckets', DEFAULT_BUCKETS, 1, MAX_BUCKETS),
        shown: { ...optional(params, 'from'), ...optional(params, 'until') },
        notes,
      };
    case 'moment':
      return { ask: 'moment', ...optional(params, 'seq'), ...optional(params, 'at') };
    case 'entries':
      return { ask: 'entries', query: readEntryQuery(params) };
    case 'step':
      return { ask: 'step', seq: numberOr(params, 'seq', undefined), to: readStep(params.get('to')) };
    case 'request':
      return { ask: 'request', id: readText(params, 'id') };
    case 'chart':
      return { ask: 'chart' };
    default:
      return undefined;
  }
}

function readEntryQuery(params: URLSearchParams): Extract<Question, { ask: 'entries' }>['query'] {
  const types = params.getAll('types').flatMap((text) => text.split(',').filter((type) => type !== ''));
  if (types.length > MAX_TYPES) throw new BadQuestionError(`types must be ${MAX_TYPES} at most`);
  return {
    ...optional(params, 'before'),
    ...optional(params, 'after'),
    limit: numberOr(params, 'limit', DEFAULT_ENTRIES, 1, MAX_ENTRIES),
    ...(types.length === 0 ? {} : { types }),
    ...(params.has('backend') ? { backend: readText(params, 'backend') } : {}),
    ...optional(params, 'request'),
  };
}

function readStep(to: string | null): StepTo {
  if (to === null || !isStep(to)) throw new BadQuestionError(`to must be one of ${STEPS.join(', ')}`);
  return to;
}

function isStep(to: string): to is StepTo {
  return STEPS.includes(to);
}

function readText(params: URLSearchParams, name: string): string {
  const text = params.get(name) ?? '';
  if (text === '' || text.length > MAX_ID_LENGTH) {
    throw new BadQuestionError(`${name} must be a text of 1 to ${MAX_ID_LENGTH} characters`);
  }
  return text;
}

function optional<Name extends string>(params: URLSearchParams, name: Name): Partial<Record<Name, number>> {
  const found: Partial<Record<Name, number>> = {};
  if (params.has(name)) found[name] = numberOr(params, name, undefined);
  return found;
}

function numberOr(
  params: URLSearchParams,
  name: string,
  fallback: number | undefined,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const text = params.get(name);
  if (text === null && fallback !== undefined) return fallback;
  const value = Number(text);
  if (text !== null && /^\d{1,16}$/.test(text) && value >= min && value <= max) return value;
  throw new BadQuestionError(`${name} must be a whole number from ${min} to ${max}`);
}
