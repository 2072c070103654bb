/** The state of the inspector's page and what it says: modes, events, messages, keys, addresses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, Fact } from '../../src/actors/events.ts';
import type { InspectedBackend, Moment, Overview } from '../../src/io/inspector/api.ts';
import { hashOf, placeOf } from '../../src/io/inspector/page/model/address.ts';
import { decisionWords, factWords, toneOf } from '../../src/io/inspector/page/model/entry-words.ts';
import {
  EVENT_TYPES,
  EVERYTHING,
  entryQuery,
  isFiltering,
} from '../../src/io/inspector/page/model/event-filter.ts';
import { BINDINGS, commandOf } from '../../src/io/inspector/page/model/keys.ts';
import { laneIndex, lanesFor, messagesOf } from '../../src/io/inspector/page/model/lanes.ts';
import { changesBetween } from '../../src/io/inspector/page/model/spoken.ts';
import {
  type Action,
  behindEnd,
  boundsOf,
  INITIAL,
  reduce,
  selectedBackend,
} from '../../src/io/inspector/page/model/state.ts';
import { coreConfig, given, received } from '../support/core.ts';
import { busyWorld } from '../support/recorded-log.ts';

function overview(kind: 'live' | 'recording', lastAt: number): Overview {
  return {
    source: { kind, title: 'x', version: '1', canChange: kind === 'live' },
    progress: { entries: 10, bytes: 1, bytesTotal: 1 },
    first: { seq: 1, at: 1000 },
    last: { seq: lastAt / 100, at: lastAt },
    notes: [],
    backends: [{ backend: 'a', spans: [] }],
    rates: { from: 0, bucketMs: 1, placed: {}, rejected: [], failed: [], waiting: [] },
    marks: [],
  };
}

function inspected(id: string, state: InspectedBackend['state']): InspectedBackend {
  const [view] = given(
    coreConfig({ backends: [{ id, protocol: 'http', host: 'h', port: 1, weight: 1 }] }),
  ).balancer.backends();
  assert.ok(view);
  return {
    ...{ ...view, state, since: null, reason: 'refused', eligibility: 'eligible' },
    ...{ lastTransition: null, lastChange: null },
  };
}

function moment(at: number, backends: readonly InspectedBackend[] = []): Moment {
  return {
    ...{ seq: at / 100, at, phase: 'running', thresholds: { fall: 3, rise: 2 }, backends, picks: [] },
    ...{ waiting: [], waitingTotal: 0, inFlight: 0, perSecond: { received: 0, placed: {} } },
  };
}

const after = (...actions: readonly Action[]) => actions.reduce(reduce, INITIAL);
const live = (at: number): Action => ({ type: 'overviewCame', overview: overview('live', at), now: at + 50 });
const recorded: Action = { type: 'overviewCame', overview: overview('recording', 90_000), now: 0 };
const came = (at: number): Action => ({ type: 'momentCame', moment: moment(at), movesCursor: false });

describe('the page', () => {
  it('follows a live gateway, and the slider goes with it', () => {
    const state = after(live(50_000), came(50_000), came(50_200));
    assert.equal(state.mode, 'following');
    assert.equal(state.cursor, 50_200);
    assert.deepEqual(boundsOf(state), { from: 1000, until: 50_050 });
  });

  it('stays where the reader put the slider, and counts what has come since', () => {
    const state = after(
      live(50_000),
      came(50_000),
      { type: 'moved', at: 40_000 },
      came(40_000),
      live(60_000),
    );
    assert.equal(state.mode, 'paused');
    assert.equal(state.cursor, 40_000);
    assert.equal(behindEnd(state), 200);
    const back = reduce(state, { type: 'modeSet', mode: 'following' });
    assert.equal(reduce(back, came(60_000)).cursor, 60_000);
    assert.equal(behindEnd(back), 0);
  });

  it('opens a recording at rest, and plays no further than its end', () => {
    const state = after(recorded);
    assert.equal(state.mode, 'paused');
    assert.deepEqual(boundsOf(state), { from: 1000, until: 90_000 });
    const playing = [
      { type: 'modeSet', mode: 'playing' },
      { type: 'played', at: 90_000, isAtEnd: true },
    ] as const;
    assert.equal(playing.reduce(reduce, state).mode, 'paused');
  });

  it('follows again when playback has caught up with a live gateway', () => {
    const state = after(
      live(50_000),
      { type: 'modeSet', mode: 'playing' },
      { type: 'played', at: 50_050, isAtEnd: true },
    );
    assert.equal(state.mode, 'following');
  });

  it('keeps the slider in sight', () => {
    const state = after(
      recorded,
      { type: 'viewSet', view: { spanMs: 1000, until: 20_000 } },
      { type: 'moved', at: 50_000 },
    );
    assert.ok((state.view.until ?? 0) > 50_000);
  });

  it('shows the backend in the worst state until the reader chooses one', () => {
    const backends = [inspected('a', 'healthy'), inspected('b', 'unhealthy'), inspected('c', 'draining')];
    const state = after(recorded, { type: 'momentCame', moment: moment(2000, backends), movesCursor: true });
    assert.equal(selectedBackend(state)?.id, 'b');
    assert.equal(selectedBackend({ ...state, chosen: 'a' })?.id, 'a');
    assert.equal(selectedBackend({ ...state, chosen: 'gone' })?.id, 'b');
  });

  it('drops the story of a request that is no longer looked for', () => {
    const story = { isFound: true, lines: ['it ended'], arrivals: [] };
    const asked = after({ type: 'set', values: { search: { id: 'new', story: null } } });
    assert.equal(reduce(asked, { type: 'storyCame', id: 'old', story }).search?.story, null);
    assert.equal(reduce(asked, { type: 'storyCame', id: 'new', story }).search?.story, story);
  });

  it('says which backends changed state, and nothing else', () => {
    const before = moment(1000, [inspected('a', 'healthy'), inspected('b', 'healthy')]);
    const later = moment(2000, [inspected('a', 'healthy'), inspected('b', 'unhealthy')]);
    assert.equal(changesBetween(null, before), '');
    assert.equal(changesBetween(before, before), '');
    assert.equal(changesBetween(before, later), 'b is unhealthy: refused');
    assert.match(
      changesBetween(
        moment(1000, []),
        moment(
          2000,
          ['a', 'b', 'c', 'd'].map((id) => inspected(id, 'healthy')),
        ),
      ),
      /: 4 backends changed state$/,
    );
  });
});

/** Entries in which something of everything happens. */
function manyEntries(): Entry[] {
  const scene = given(coreConfig());
  return busyWorld(3, 2000).history.map(({ fact, at }, index) => ({
    ...{ v: 1, seq: index + 1, at, fact },
    decisions: index === 0 ? [] : scene.balancer.step(fact, at + 2_000_000),
  }));
}

describe('events', () => {
  const entries = manyEntries();

  it('have a line of words, whatever their type', () => {
    const seen = new Set<string>();
    for (const { fact, decisions } of entries) {
      for (const words of [factWords(fact), ...decisions.map(decisionWords)]) {
        assert.match(words, /^\S.*\S$/);
        assert.doesNotMatch(words, /undefined|NaN|\[object/);
      }
      for (const { type } of [fact, ...decisions]) seen.add(type);
    }
    assert.ok(seen.size > 20, `only ${seen.size} types were tried`);
    for (const type of seen)
      assert.ok(
        EVENT_TYPES.some((each) => each === type),
        `${type} is in no group`,
      );
  });

  it('stand out where they tell of trouble or of a change', () => {
    const entry = (fact: Fact, decisions: Entry['decisions'] = []): Entry => ({
      v: 1,
      seq: 1,
      at: 1,
      fact,
      decisions,
    });
    assert.equal(toneOf(entry({ type: 'client.aborted', request: 1 })), 'bad');
    assert.equal(toneOf(entry({ type: 'operator.drained', backend: 'a' })), 'change');
    assert.equal(toneOf(entry(received(1))), 'plain');
    assert.equal(
      toneOf(entry(received(1), [{ type: 'request.rejected', request: 1, code: 'queue_full' }])),
      'bad',
    );
  });

  it('are asked for as the filter says', () => {
    assert.equal(entryQuery(EVERYTHING, 'end', 60), 'limit=60');
    assert.equal(
      entryQuery({ ...EVERYTHING, request: '7' }, { before: 12 }, 60),
      'limit=60&before=12&request=7',
    );
    const probes = entryQuery({ kind: 'probes', backend: 'a:1', request: '' }, { after: 3 }, 10);
    assert.equal(
      decodeURIComponent(probes),
      'limit=10&after=3&types=probe.succeeded,probe.failed&backend=a:1',
    );
    assert.match(entryQuery({ ...EVERYTHING, kind: 'lease.granted' }, 'end', 1), /types=lease\.granted$/);
    assert.equal(isFiltering(EVERYTHING), false);
    assert.equal(isFiltering({ ...EVERYTHING, backend: 'a' }), true);
  });

  it('become messages between the parts, fact first', () => {
    const messages = messagesOf(entries);
    assert.equal(
      messages.length,
      entries.reduce((sum, { decisions }) => sum + 1 + decisions.length, 0),
    );
    const path = (type: string) => {
      const found = messages.find((message) => message.type === type);
      return found === undefined ? undefined : [found.from.split(':')[0], found.to.split(':')[0]];
    };
    assert.deepEqual(path('request.received'), ['outside', 'selector']);
    assert.deepEqual(path('backend.selected'), ['selector', 'pool']);
    assert.deepEqual(path('lease.granted'), ['pool', 'outside']);
    assert.deepEqual(path('probe.failed'), ['outside', 'machine']);
    assert.deepEqual(path('backend.changed'), ['machine', 'selector']);
    const opening = messages.filter(({ opens }) => opens);
    assert.deepEqual(
      opening.map(({ seq }) => seq),
      entries.map(({ seq }) => seq),
    );
  });

  it('have a lane for each machine that is spoken to, or one for all where those are many', () => {
    const probe = (backend: string): Entry => ({
      ...{ v: 1, seq: 1, at: 1, decisions: [] },
      fact: { type: 'probe.succeeded', backend, status: 200, latencyMs: 1 },
    });
    const few = lanesFor(messagesOf([probe('b'), probe('a'), probe('b')]), 2, ['a', 'x', 'b']);
    assert.deepEqual(
      few.map(({ title }) => title),
      ['outside', 'selector', 'pool', 'a', 'b'],
    );
    assert.equal(laneIndex(few, 'machine:b'), 4);
    const many = lanesFor(messagesOf([probe('a'), probe('b'), probe('c')]), 2, []);
    assert.deepEqual(
      many.map(({ title }) => title),
      ['outside', 'selector', 'pool', '3 machines'],
    );
    assert.equal(laneIndex(many, 'machine:c'), 3);
  });
});

describe('keys', () => {
  const press = (key: string, held: Partial<Record<'shiftKey' | 'ctrlKey', boolean>> = {}) =>
    commandOf({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...held });

  it('mean one thing each', () => {
    const all = BINDINGS.flatMap(({ keys }) => keys);
    assert.equal(new Set(all).size, all.length);
    assert.equal(press(' '), 'playPause');
    assert.equal(press('ArrowLeft'), 'previousEntry');
    assert.equal(press('ArrowLeft', { shiftKey: true }), 'previousChange');
    assert.equal(press('?', { shiftKey: true }), 'help');
    assert.equal(press('x'), undefined);
  });

  it('with Ctrl are left to the browser', () => {
    assert.equal(press('-', { ctrlKey: true }), undefined);
  });
});

describe('the address', () => {
  it('keeps a moment, a backend and a request, and gives them back', () => {
    const place = { seq: 1234, backend: 'a b&c', request: '4f/1#2' };
    assert.deepEqual(placeOf(hashOf(place)), place);
    assert.equal(hashOf({ seq: null, backend: null, request: null }), '#');
  });

  it('is read with caution', () => {
    assert.deepEqual(placeOf('#seq=-1&x=y'), { seq: null, backend: null, request: null });
    assert.deepEqual(placeOf(''), { seq: null, backend: null, request: null });
  });
});
