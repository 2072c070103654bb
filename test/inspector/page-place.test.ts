/** Where the inspector's page goes when it is sent somewhere, while the log is still being read or answers are slow. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Moment, Overview } from '../../src/io/inspector/api.ts';
import type { Client, Point } from '../../src/io/inspector/page/client.ts';
import { createController } from '../../src/io/inspector/page/controller.ts';
import { type Action, INITIAL, type PageState, reduce } from '../../src/io/inspector/page/model/state.ts';

const SECOND = 1000;
const ENTRIES = 1000;

/** A page over a log with an entry each second, of which `read` have been read, and which keeps answers back when told. */
function openPage(kind: Overview['source']['kind'] = 'recording') {
  let state: PageState = { ...INITIAL, width: 900 };
  let now = 0;
  const log = { read: 0, isSlow: false, asked: [] as Point[] };
  const kept: (() => void)[] = [];
  const client: Client = {
    overview: async () => overviewOf(kind, log.read),
    async moment(point) {
      log.asked.push(point);
      if (log.isSlow) await new Promise<void>((answer) => kept.push(answer));
      if (log.read === 0) throw new Error('The log has no entry yet.');
      const seq = point === 'end' ? log.read : 'seq' in point ? point.seq : Math.floor(point.at / SECOND);
      return momentOf(Math.min(seq, log.read));
    },
    step: async (seq, to) => ({ seq: seq + (to === 'nextEntry' ? 1 : -1), at: seq * SECOND }),
    entries: async () => ({
      ...{ entries: [], searched: { from: 1, until: 1 }, hasBefore: false, hasAfter: false },
    }),
    request: async () => ({ isFound: false, lines: [], arrivals: [] }),
    chart: async () => ({ machine: 'backend', width: 1, height: 1, states: [], transitions: [] }),
    change: async () => '',
  };
  const dispatch = (action: Action) => {
    state = reduce(state, action);
  };
  const controller = createController({
    client,
    state: () => state,
    dispatch,
    localNow: () => now,
    gatewayNow: () => log.read * SECOND,
  });
  return {
    controller,
    log,
    state: () => state,
    dispatch,
    /** Lets time pass, with all that is asked meanwhile answered. */
    async pass(ms: number) {
      for (const end = now + ms; now < end; ) {
        now += 50;
        controller.tick();
        await settled();
      }
    },
    async answer() {
      kept.shift()?.();
      await settled();
    },
  };
}

const settled = () => new Promise<void>((done) => setImmediate(done));

function overviewOf(kind: Overview['source']['kind'], read: number): Overview {
  const instant = (seq: number) => (read === 0 ? null : { seq, at: seq * SECOND });
  return {
    source: { kind, title: 'x', version: '1', canChange: false },
    progress: { entries: read, bytes: read, bytesTotal: ENTRIES },
    ...{ first: instant(1), last: instant(read), notes: [], backends: [], marks: [] },
    rates: { from: 0, bucketMs: 1, placed: {}, rejected: [], failed: [], waiting: [] },
  };
}

function momentOf(seq: number): Moment {
  return {
    ...{ seq, at: seq * SECOND, phase: 'running', thresholds: { fall: 3, rise: 2 }, backends: [], picks: [] },
    ...{ waiting: [], waitingTotal: 0, inFlight: 0, perSecond: { received: 0, placed: {} } },
  };
}

describe('a moment that the address names', () => {
  for (const kind of ['live', 'recording'] as const) {
    it(`is shown although nothing of the ${kind} log had been read when the page was opened`, async () => {
      const { controller, log, state, pass } = openPage(kind);
      controller.goTo({ seq: 300 });
      await pass(1500);
      assert.deepEqual([state().moment, state().trouble], [null, '']);
      log.read = ENTRIES;
      await pass(1500);
      assert.deepEqual([state().moment?.seq, state().mode, controller.wanted()], [300, 'paused', null]);
    });
  }

  it('is not taken for the last entry read so far, and stays wanted until it is shown', async () => {
    const { controller, log, state, pass } = openPage();
    log.read = 100;
    controller.goTo({ seq: 300 });
    await pass(1500);
    assert.equal(state().moment, null);
    assert.deepEqual(controller.wanted(), { seq: 300 });
    log.read = 400;
    await pass(1500);
    assert.equal(state().moment?.seq, 300);
    assert.equal(controller.wanted(), null);
    const asked = log.asked.length;
    await pass(3000);
    assert.equal(log.asked.length, asked, 'it is not asked for again');
  });

  it('is the last one if the log ends before it, and the page says so', async () => {
    const { controller, log, state, pass } = openPage();
    log.read = ENTRIES;
    controller.goTo({ seq: 5000 });
    await pass(500);
    assert.equal(state().moment?.seq, ENTRIES);
    assert.equal(state().notice, 'The log has no entry 5000. This is entry 1000.');
  });

  it('is forgotten when the reader goes elsewhere before it has been read', async () => {
    const { controller, log, state, pass } = openPage();
    log.read = 100;
    controller.goTo({ seq: 300 });
    await pass(500);
    controller.goTo({ at: 50 * SECOND });
    log.read = ENTRIES;
    await pass(3000);
    assert.equal(state().moment?.seq, 50);
  });
});

describe('playback of a recording that is still being read', () => {
  it('starts at the beginning when Play is pressed, and is not thrown to the end by what is read meanwhile', async () => {
    const { controller, log, state, pass } = openPage();
    log.read = 100;
    await pass(1000);
    log.read = 120;
    controller.playOrPause();
    await pass(3000);
    assert.equal(state().mode, 'playing');
    const { cursor } = state();
    assert.ok(cursor !== null && cursor > 3 * SECOND && cursor < 5 * SECOND, `the slider is at ${cursor} ms`);
    assert.ok((state().moment?.seq ?? 0) <= cursor / SECOND, 'what is shown goes with the slider');
  });

  it('is not thrown to the end by an answer that was on its way when Play was pressed', async () => {
    const { controller, log, state, pass, answer } = openPage();
    log.read = 100;
    log.isSlow = true;
    await pass(100);
    controller.playOrPause();
    await pass(200);
    await answer();
    assert.equal(state().mode, 'playing');
    assert.ok((state().cursor ?? 0) < 2 * SECOND, `the slider is at ${state().cursor} ms`);
  });

  it('waits where the log has been read to, and goes on from there', async () => {
    const { controller, log, state, pass } = openPage();
    log.read = 100;
    await pass(100);
    controller.goTo({ at: 99 * SECOND });
    controller.playOrPause();
    await pass(1500);
    assert.deepEqual([state().mode, state().cursor], ['playing', 100 * SECOND]);
    log.read = ENTRIES;
    await pass(2000);
    assert.ok((state().cursor ?? 0) > 100 * SECOND);
  });
});

describe('playback', () => {
  for (const end of ['reaches the end', 'is stopped by the reader'] as const) {
    it(`shows the very moment at which it rests when it ${end}`, async () => {
      const { controller, log, state, dispatch, pass } = openPage();
      log.read = ENTRIES;
      await pass(200);
      controller.goTo({ at: 900 * SECOND });
      await pass(100);
      // Fast enough that seconds pass between two questions.
      dispatch({ type: 'set', values: { speed: 100 } });
      controller.playOrPause();
      await pass(end === 'reaches the end' ? 3000 : 500);
      if (end !== 'reaches the end') controller.playOrPause();
      await pass(300);
      assert.equal(state().mode, 'paused');
      assert.equal(state().moment?.seq, Math.floor((state().cursor ?? 0) / SECOND));
    });
  }
});

describe('a step', () => {
  it('is not lost when it is pressed again before the moment of the last press has come', async () => {
    const { controller, log, state, pass, answer } = openPage();
    log.read = ENTRIES;
    await pass(200);
    controller.goTo({ seq: 10 });
    await pass(100);
    log.isSlow = true;
    for (let presses = 0; presses < 5; presses += 1) {
      controller.step('nextEntry');
      await settled();
    }
    for (let answers = 0; answers < 3; answers += 1) await answer();
    assert.equal(state().moment?.seq, 15);
  });

  it('is not lost when it is pressed several times before the server has told where the first leads', async () => {
    const { controller, log, state, pass } = openPage();
    log.read = ENTRIES;
    await pass(200);
    controller.goTo({ seq: 10 });
    await pass(100);
    for (let presses = 0; presses < 5; presses += 1) controller.step('nextEntry');
    await pass(1000);
    assert.equal(state().moment?.seq, 15);
  });

  it('leads on from where the slider was put, although that moment has not come yet', async () => {
    const { controller, log, state, pass, answer } = openPage();
    log.read = ENTRIES;
    await pass(200);
    log.isSlow = true;
    controller.goTo({ at: 500 * SECOND });
    controller.step('previousEntry');
    for (let answers = 0; answers < 4; answers += 1) await answer();
    assert.equal(state().moment?.seq, 499);
  });
});
