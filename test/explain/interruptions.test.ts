/** Restarts, gaps, damage and divergence: an explanation says so, and mixes nothing from before with what comes after. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/actors/events.ts';
import { watchBackend } from '../../src/actors/explain/backend-watch.ts';
import { watchMoment } from '../../src/actors/explain/moment-watch.ts';
import { encodeLine } from '../../src/io/event-log/lines.ts';
import { eventWords } from '../../src/io/explain/event-words.ts';
import { backend, coreConfig, ended, probeFailed, received, started } from '../support/core.ts';
import { lifeOf, opened, play, record, reportOf, type Script } from './support.ts';

const CONFIG = coreConfig({ backends: [backend('a'), backend('b')] });

/** The last event in words, and the outcome. */
async function endOf(folder: string, id: string) {
  const life = await lifeOf(folder, id);
  const last = life.timeline.at(-1);
  return { outcome: life.outcome, words: last === undefined ? '' : eventWords(last, life) };
}

/** Rewrites the lines of the one segment of a log. */
function rewrite(folder: string, change: (lines: string[]) => string[]): void {
  const [name = ''] = readdirSync(folder);
  const lines = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
  writeFileSync(
    join(folder, name),
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

describe('a restart of the gateway', () => {
  const restarted = (script: Script) => {
    script.take(received(1), opened('a', 1), probeFailed('b'), probeFailed('b'), probeFailed('b'));
    script.wait(60_000).restart(CONFIG);
    script.wait(10).take(received(1), opened('a', 1), started(1, 1), ended(1, 1));
  };

  it('ends what was under way, and begins numbers and states anew', async () => {
    const { requests, runs } = await reportOf(record(CONFIG, restarted), '1');
    assert.deepEqual(
      requests.map(({ run, seq, outcome, backends }) => ({ run, seq, outcome, backends })),
      [
        { run: 1, seq: 2, outcome: 'unknown', backends: ['a'] },
        { run: 2, seq: 8, outcome: 'ended', backends: ['a'] },
      ],
    );
    const [first, second] = requests;
    assert.ok(first && second);
    const last = first.timeline.at(-1);
    assert.ok(last);
    assert.equal(
      eventWords(last, first),
      'the log of this run ends here: the gateway was started anew, or had been killed',
    );
    const pick = second.timeline.find((event) => event.type === 'picked');
    assert.deepEqual(
      pick?.candidates.map(({ state }) => state),
      ['healthy', 'healthy'],
    );
    assert.deepEqual(
      runs.map(({ run, requests: numbers }) => [run, numbers]),
      [
        [1, { first: 1, last: 1 }],
        [2, { first: 1, last: 1 }],
      ],
    );
  });

  it('begins a stretch of its own in the life of a backend', async () => {
    const watch = watchBackend('b');
    await play(record(CONFIG, restarted), watch);
    assert.deepEqual(
      watch
        .report()
        .stretches.map(({ stretch, periods }) => [
          stretch.run,
          stretch.began,
          periods.map(({ state, until }) => [state, until === null]),
        ]),
      [
        [
          1,
          'run',
          [
            ['healthy', false],
            ['unhealthy', true],
          ],
        ],
        [2, 'run', [['healthy', true]]],
      ],
    );
  });
});

describe('a gap', () => {
  it('is told in the life of a request that goes on behind it', async () => {
    const folder = record(CONFIG, (script) => {
      script.take(received(1), opened('a', 1));
      script.wait(5).lose(started(1, 1), received(2));
      script.wait(5).take(received(3), ended(1, 1));
    });
    const life = await lifeOf(folder, 'id-1');
    const gap = life.timeline.find((event) => event.type === 'interrupted');
    assert.ok(gap);
    assert.equal(
      eventWords(gap, life),
      '2 entries could not be recorded (too slow); behind that it is still under way',
    );
    assert.equal(life.outcome, 'ended');
    assert.equal((await reportOf(folder, 'id-2')).total, 0);
  });

  it('is followed by what the state behind it tells of the request, wherever that is by then', async () => {
    const one = coreConfig({ backends: [backend('a')], pool: { size: 1 } });
    const lost = probeFailed('a');
    const cases: [string, string, Fact[], Fact[], Fact[]][] = [
      ['waiting', '2', [received(1), received(2)], [lost], [received(3)]],
      ['connecting', '1', [received(1)], [lost], [received(2)]],
      ['sent', '1', [received(1)], [opened('a', 1)], [received(2)]],
      ['answering', '1', [received(1), opened('a', 1)], [started(1, 1)], [received(2)]],
    ];
    for (const [phase, id, before, meanwhile, behind] of cases) {
      const folder = record(one, (script) => {
        script.take(...before);
        script.wait(5).lose(...meanwhile);
        script.wait(5).take(...behind);
      });
      const life = await lifeOf(folder, id);
      assert.deepEqual([life.phase, life.outcome], [phase, 'open']);
    }
  });

  it('may hide that a request went to another backend', async () => {
    const folder = record(CONFIG, (script) => {
      script.take(received(1));
      script.lose({ type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
      script.take(opened('b', 2), started(1, 2), ended(1, 2));
    });
    const { backends, outcome } = await lifeOf(folder, 'id-1');
    assert.deepEqual([backends, outcome], [['a', 'b'], 'ended']);
  });

  it('is where the life of a backend goes on with the state it has behind it', async () => {
    const folder = record(CONFIG, (script) => {
      script.wait(9).lose(probeFailed('b'), probeFailed('b'), probeFailed('b'));
      script.wait(9).take(received(1));
    });
    const watch = watchBackend('b');
    await play(folder, watch);
    assert.deepEqual(
      watch
        .report()
        .stretches.map(({ stretch, periods }) => [stretch.began, periods.map(({ state }) => state)]),
      [
        ['run', ['healthy']],
        ['gap', ['unhealthy']],
      ],
    );
  });

  it('leaves open how a request went on that ended in it', async () => {
    const folder = record(CONFIG, (script) => {
      script.take(received(1), opened('a', 1));
      script.lose(started(1, 1), ended(1, 1));
      script.take(received(2));
    });
    assert.deepEqual(await endOf(folder, 'id-1'), {
      outcome: 'unknown',
      words: '2 entries could not be recorded (too slow); how it went on is not known',
    });
  });

  it('leaves open since when a backend is in its state, and how old a socket is', async () => {
    const folder = record(CONFIG, (script) => {
      script.take(received(1), opened('a', 1), ended(1, 1));
      script.wait(9).lose(probeFailed('b'), probeFailed('b'), probeFailed('b'));
      script.wait(9).take(received(2));
    });
    const { timeline } = await lifeOf(folder, '2');
    const pick = timeline.find((event) => event.type === 'picked');
    assert.deepEqual(
      pick?.candidates.map(({ state, since }) => [state, since]),
      [
        ['healthy', null],
        ['unhealthy', null],
      ],
    );
    const leased = timeline.find((event) => event.type === 'leased');
    assert.deepEqual(
      [leased?.reused, leased?.socketAgeMs, leased?.servedBefore, leased?.idleMs],
      [true, null, null, 18],
    );
  });

  it('is said of a moment that lies in it', async () => {
    const folder = record(CONFIG, (script) => {
      script.take(received(1), opened('a', 1));
      script.wait(5).lose(started(1, 1));
      script.lose(ended(1, 1));
      script.wait(5).take(received(2));
    });
    const { playback } = await play(folder, watchMoment(), { seq: 4 });
    assert.equal(playback.isInterrupted, true);
    assert.equal(playback.scene?.core.requests.size, 1);
    const behind = await play(folder, watchMoment(), { seq: 5 });
    assert.equal(behind.playback.isInterrupted, false);
    assert.equal(behind.playback.scene?.core.requests.size, 0);
  });
});

describe('a log of several segments', () => {
  it('is one stretch where nothing is missing between them', async () => {
    const folder = record(
      CONFIG,
      (script) => {
        for (let request = 1; request < 40; request += 1) script.take(received(request));
      },
      4000,
    );
    const { log } = await play(folder, watchMoment());
    assert.ok(readdirSync(folder).length > 2);
    assert.equal(log.stretches.length, 1);
  });
});

describe('a log that begins in the middle of a run', () => {
  it('says so, and tells of what came after', async () => {
    const folder = record(
      CONFIG,
      (script) => {
        script.take(received(1), opened('a', 1));
        for (let request = 2; request < 40; request += 1) script.take(received(request));
        script.take(ended(1, 1), received(99));
      },
      4000,
    );
    const last = readdirSync(folder).at(-1) ?? '';
    const watch = watchMoment();
    const { playback, log } = await play(join(folder, last), watch);
    assert.equal(log.stretches[0]?.began, 'log');
    assert.ok(playback.scene);
    const { inFlight } = watch.report(playback.scene);
    assert.ok(inFlight.some(({ arrivedAt }) => arrivedAt === null));
    assert.equal((await lifeOf(join(folder, last), 'id-99')).outcome, 'open');
  });
});

describe('a log that was altered', () => {
  const answered = (script: Script) => {
    script.take(received(1), opened('a', 1), started(1, 1), ended(1, 1), received(2), received(3));
  };

  it('is told up to its damage, and what was under way is left open', async () => {
    const folder = record(CONFIG, answered);
    rewrite(folder, (lines) => lines.map((line) => line.replace('"status":200', '"status":500')));
    const { log } = await play(folder, watchMoment());
    assert.equal(log.damage.length, 1);
    const { outcome, timeline } = await lifeOf(folder, '1');
    assert.equal(outcome, 'open');
    assert.equal(timeline.at(-1)?.type, 'leased');
  });

  it('is told up to where replay goes another way than the record', async () => {
    const folder = record(CONFIG, answered);
    rewrite(folder, (lines) =>
      lines.map((line) => {
        if (!line.includes('"seq":6,"at"')) return line;
        const { n, crc: _, ...entry } = JSON.parse(line);
        return encodeLine({ ...entry, decisions: [] }, n).trimEnd();
      }),
    );
    const { log } = await play(folder, watchMoment());
    assert.equal(log.divergence?.seq, 6);
    assert.equal((await reportOf(folder, '2')).requests[0]?.timeline.length, 0);
    assert.equal((await reportOf(folder, '3')).total, 0, 'what is behind it is not believed');
  });
});
