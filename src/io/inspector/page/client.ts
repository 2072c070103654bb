/** Asks the server, and hears from each answer what time it is at the gateway. */
import type { Chart, EntryPage, Moment, Overview, RequestStory, StepTarget, StepTo } from '../api.ts';
import type { Change } from './model/state.ts';
import type { TimeWindow } from './model/time-window.ts';

export type Point = { readonly seq: number } | { readonly at: number } | 'end';

export type Client = {
  overview(buckets: number, shown: TimeWindow | null): Promise<Overview>;
  moment(point: Point): Promise<Moment>;
  step(seq: number, to: StepTo): Promise<StepTarget>;
  /** @param query see `entryQuery` */
  entries(query: string): Promise<EntryPage>;
  request(id: string): Promise<RequestStory>;
  chart(): Promise<Chart>;
  /** @returns what came of it, in words @throws with the gateway's reason where it refused */
  change(change: Change): Promise<string>;
};

/** @param hear is told a time that has passed at the gateway */
export function createClient(hear: (at: number) => void): Client {
  const ask = async <Answer>(path: string): Promise<Answer> => {
    const response = await fetch(`api/${path}`, { cache: 'no-store' });
    if (!response.ok) throw new Error(await problemOf(response));
    const sent = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(sent)) hear(sent);
    return response.json() as Promise<Answer>;
  };
  return {
    overview(buckets, shown) {
      const query = new URLSearchParams({ buckets: String(buckets) });
      if (shown !== null) {
        query.set('from', String(Math.floor(shown.from)));
        query.set('until', String(Math.ceil(shown.until)));
      }
      return ask(`overview?${query}`);
    },
    moment(point) {
      if (point === 'end') return ask('moment');
      return ask('seq' in point ? `moment?seq=${point.seq}` : `moment?at=${Math.floor(point.at)}`);
    },
    step: (seq, to) => ask(`step?seq=${seq}&to=${to}`),
    entries: (query) => ask(`entries?${query}`),
    request: (id) => ask(`request?${new URLSearchParams({ id })}`),
    chart: () => ask('chart'),
    async change(change) {
      const path =
        change.kind === 'reload'
          ? '/reload'
          : `/backends/${encodeURIComponent(change.backend)}/${change.kind}`;
      // A form of another site cannot send a header of its own.
      const response = await fetch(path, { method: 'POST', headers: { 'X-Reprise-Request': '1' } });
      if (!response.ok) throw new Error(await problemOf(response));
      return DONE[change.kind](change);
    },
  };
}

const DONE: Readonly<Record<Change['kind'], (change: Change) => string>> = {
  drain: (change) => `${nameIn(change)} drains: it gets no new request.`,
  restore: (change) => `${nameIn(change)} is restored.`,
  reload: () => 'The configuration was read again.',
};

function nameIn(change: Change): string {
  return 'backend' in change ? change.backend : 'It';
}

type Problem = { readonly key: string; readonly value: string; readonly expected: string };

/** What a refusal says: the error's message, or the problems of a config. */
async function problemOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { error?: { message?: string }; problems?: readonly Problem[] };
    if (body.error?.message !== undefined) return body.error.message;
    if (body.problems !== undefined)
      return `The new configuration is wrong: ${body.problems.map(inWords).join('; ')}`;
  } catch {
    // Not JSON: its status will have to do.
  }
  return `The server answered ${response.status}.`;
}

function inWords({ key, value, expected }: Problem): string {
  return `${key} = ${value} ${expected}`;
}
