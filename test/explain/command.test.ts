/** `reprise explain` from outside: exit codes, what it says where nothing is found, and the shapes of its JSON. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { backend, coreConfig, received } from '../support/core.ts';
import { runCommand, runCommandIn } from './command.ts';
import { busyNight, longNight } from './scenes.ts';
import { record, START } from './support.ts';

/** Keys at every level, with a type for each value; of lists the first member stands for all. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}

async function jsonOf(...args: string[]): Promise<{ code: number; json: Record<string, unknown> }> {
  const { code, stdout } = await runCommand(...args, '--json');
  return { code, json: JSON.parse(stdout) };
}

describe('explain ends with', { concurrency: 4 }, () => {
  it('1 where there is no such request, and says what is like it and what there is', async () => {
    const { code, stdout, stderr } = await runCommand(busyNight(), 'id-122');
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      [
        'reprise: there is no request id-122 in this log',
        'reprise: did you mean id-12, id-1, id-2, id-10, id-11?',
        'reprise: the log reaches from 2026-11-23 03:12:00.000 (entry 1) to 2026-11-23 03:12:09.876 (entry 30): requests 1 to 12 in run 1',
        '',
      ].join('\n'),
    );
  });

  it('1 where there is no such backend, and names those there are', async () => {
    const { code, stderr } = await runCommand(busyNight(), '--backend', 'gpu-9:8000');
    assert.equal(code, 1);
    assert.match(stderr, /there is no backend gpu-9:8000 in this log\n.*did you mean gpu-1:8000/);
  });

  it('1 where the moment lies before or behind the log, and says how far it reaches', async () => {
    const folder = busyNight();
    const beyond = ['2026-11-23T03:11:59', '2026-11-23T03:13:00', 'seq:9999'];
    const outcomes = await Promise.all(beyond.map((at) => runCommand(folder, '--at', at)));
    for (const { code, stdout, stderr } of outcomes) {
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /the log tells nothing of .*\n.*the log reaches from 2026-11-23 03:12:00.000/);
    }
  });

  it('0 at each way to write a moment', async () => {
    const folder = busyNight();
    const times = ['2026-11-23T03:12:09', '2026-11-23T04:12:09+01:00', String(START + 9000), '03:12:09'];
    const outputs = await Promise.all(times.map((at) => runCommand(folder, '--at', at)));
    for (const { code, stdout } of outputs) {
      assert.equal(code, 0);
      assert.equal(stdout, outputs[0]?.stdout);
    }
    assert.match((await runCommand(folder, '--at', 'seq:9')).stdout, /^After entry 9\./m);
  });

  it('64 for a wrong flag, or a path without a log', async () => {
    const folder = busyNight();
    const wrong: readonly string[][] = [
      [folder],
      [folder, 'id-1', '--at', '03:12'],
      [folder, '--at', 'noon'],
      [folder, '--nonsense'],
      [join(folder, 'nowhere'), 'id-1'],
    ];
    const outcomes = await Promise.all(wrong.map((args) => runCommand(...args)));
    for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
      assert.deepEqual([code, stdout], [64, ''], wrong[index]?.join(' ') ?? '');
      assert.match(stderr, /^reprise: |^error: /);
    }
  });

  it('3 where the log is damaged, and tells what the rest has', async () => {
    const folder = busyNight();
    const [name = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(join(folder, name), text.replace('"requestId":"id-12"', '"requestId":"id-21"'));
    const { code, stdout, stderr } = await runCommand(folder, 'id-3');
    assert.equal(code, 3);
    assert.match(stdout, /^Answered by gpu-2:8000 with status 200 after 164 ms/m);
    assert.match(stderr, /events-0000000000000001\.ndjson, line 31, byte \d+: the line was altered/);
    assert.match(stderr, /what could be read: everything up to entry 28/);
  });

  it('0 where only the last line is torn, as after a crash', async () => {
    const folder = busyNight();
    const [name = ''] = readdirSync(folder);
    writeFileSync(join(folder, name), readFileSync(join(folder, name), 'utf8').slice(0, -20));
    const { code, stderr } = await runCommand(folder, 'id-3');
    assert.equal(code, 0);
    assert.match(stderr, /the last line of .* is not complete \(\d+ bytes\); it was left out/);
  });
});

describe('explain of an id that', () => {
  const several = (count: number) =>
    record(coreConfig({ backends: [backend('a')] }), (script) => {
      for (let request = 1; request <= count; request += 1) {
        script.wait(10).take({ ...received(request), requestId: 'same' } as ReturnType<typeof received>);
      }
    });

  it('a few requests carry tells of each', async () => {
    const { stdout } = await runCommand(several(3), 'same');
    assert.deepEqual(
      stdout.match(/^Request \d/gm),
      ['1', '2', '3'].map((number) => `Request ${number}`),
    );
  });

  it('many requests carry lists them, and each is found by its entry', async () => {
    const folder = several(9);
    const { stdout } = await runCommand(folder, 'same');
    assert.match(stdout, /^9 requests carry this id\. Explain one of them by its entry, as `seq:N`:/);
    assert.match(stdout, /^ +seq:4 +1 +3 +2026-11-23 03:12:00\.030 +under way where the log ends \(a\)$/m);
    assert.match((await runCommand(folder, 'seq:4')).stdout, /^Request 3 of run 1, X-Request-ID same$/m);
  });

  it('is a number asks for the request of that number, unless one carries it as its id', async () => {
    const config = coreConfig({ backends: [backend('a')] });
    const folder = record(config, (script) => {
      script.take(received(1));
      script.take({ ...received(2), requestId: '1' } as ReturnType<typeof received>);
    });
    assert.match((await runCommand(folder, '1')).stdout, /^Request 2 of run 1, X-Request-ID 1$/m);
    assert.match((await runCommand(folder, '2')).stdout, /^Request 2 of run 1/m);
  });
});

describe('colour', () => {
  it('is for terminals only, and NO_COLOR forbids it', async () => {
    const folder = busyNight();
    const mark = String.fromCharCode(27);
    const [plain, forced, forbidden] = await Promise.all([
      runCommand(folder, 'id-3'),
      runCommandIn({ FORCE_COLOR: '1' }, folder, 'id-3'),
      runCommandIn({ NO_COLOR: '1' }, folder, 'id-3'),
    ]);
    assert.deepEqual(
      [plain, forced, forbidden].map(({ stdout }) => stdout.includes(mark)),
      [false, true, false],
    );
    assert.equal(forced.stdout.replaceAll(new RegExp(`${mark}\\[\\d+m`, 'g'), ''), plain.stdout);
  });
});

const INSTANT = { seq: 'number', at: 'number' };
const STRETCH = {
  began: 'string',
  run: 'number',
  seq: 'number',
  at: 'number',
  missing: 'number',
  reason: 'null',
};
const LOG = { from: INSTANT, until: INSTANT, stretches: [STRETCH], damage: [], divergence: 'null' };
const POOL = { leased: 'number', idle: 'number', size: 'number', limit: 'number' };
const PROBES = {
  consecutiveFailures: 'number',
  consecutiveSuccesses: 'number',
  fall: 'number',
  rise: 'number',
  last: 'string',
};

describe('the JSON of explain', { concurrency: 4 }, () => {
  it('of a request has its summary and its timeline', async () => {
    const { code, json } = await jsonOf(busyNight(), 'id-3');
    assert.equal(code, 0);
    const { requests, ...rest } = json;
    assert.deepEqual(shapeOf(rest), {
      v: 'number',
      explain: 'string',
      id: 'string',
      total: 'number',
      similar: ['string'],
      runs: [
        {
          run: 'number',
          from: 'number',
          until: 'number',
          requests: { first: 'number', last: 'number' },
        },
      ],
      log: LOG,
    });
    const [life] = requests as [Record<string, unknown>];
    const { timeline, before: _before, ...summary } = life;
    assert.deepEqual(summary, {
      request: 3,
      requestId: 'id-3',
      run: 1,
      seq: 13,
      method: 'POST',
      path: '/v1/chat/completions',
      arrivedAt: START + 8702,
      endedAt: START + 8866,
      outcome: 'ended',
      status: 200,
      code: null,
      phase: 'answering',
      backends: ['gpu-1:8000', 'gpu-2:8000'],
      retries: 1,
      omitted: 0,
    });
    const events = timeline as { type: string; candidates?: unknown[] }[];
    assert.deepEqual(
      events.map(({ type }) => type),
      [
        ...['arrived', 'picked', 'leased', 'failed', 'retried', 'picked', 'queued', 'line', 'picked'],
        ...['connecting', 'leased', 'first-byte', 'ended'],
      ],
    );
    assert.deepEqual(shapeOf(events[1]?.candidates?.[2]), {
      backend: 'string',
      state: 'string',
      since: 'number',
      reason: 'string',
      weight: 'number',
      effectiveWeight: 'number',
      pool: POOL,
      probes: PROBES,
      verdict: 'string',
      currentWeight: { before: 'number', after: 'number' },
    });
  });

  it('of a backend has its stretches and their periods', async () => {
    const { json } = await jsonOf(longNight(), '--backend', 'gpu-1:8000');
    const { stretches, ...rest } = json;
    assert.deepEqual(Object.keys(rest), ['v', 'explain', 'backend', 'known', 'similar', 'log']);
    const [first] = stretches as [{ periods: unknown[] }];
    assert.deepEqual(Object.keys(first), ['stretch', 'settings', 'periods']);
    assert.deepEqual(shapeOf(first.periods[0]), {
      state: 'string',
      from: 'null',
      reason: 'string',
      seq: 'number',
      at: 'number',
      until: 'number',
      lastAt: 'number',
      probes: {
        succeeded: 'number',
        failed: 'number',
        runs: [
          {
            ok: 'boolean',
            count: 'number',
            from: 'number',
            until: 'number',
            reasons: { 'status 200': 'number' },
            slowestMs: 'number',
          },
        ],
        earlierRuns: 'number',
      },
      leases: {
        granted: 'number',
        ended: 'number',
        failed: 'number',
        aborted: 'number',
        discarded: 'number',
        unopened: 'number',
        peak: 'number',
      },
      failures: {},
      sockets: { opened: 'number', reused: 'number', closedByBackend: 'number', evicted: {} },
      notes: [{ seq: 'number', at: 'number', type: 'string', action: 'string' }],
    });
  });

  it('of a moment has everything there was', async () => {
    const { json } = await jsonOf(busyNight(), '--at', 'seq:29');
    const { lastEntries: _entries, ...found } = json.found as Record<string, unknown>;
    const request = {
      ...{ request: 'number', requestId: 'string', path: 'string', arrivedAt: 'number', phase: 'string' },
      retries: 'number',
    };
    assert.deepEqual(shapeOf({ ...json, found }), {
      v: 'number',
      explain: 'string',
      point: { seq: 'number' },
      found: {
        at: 'number',
        last: INSTANT,
        next: { ...INSTANT, type: 'string' },
        isInterrupted: 'boolean',
        stretch: STRETCH,
        phase: 'string',
        backends: [
          {
            ...{
              backend: 'string',
              state: 'string',
              since: 'number',
              reason: 'string',
              weight: 'number',
              effectiveWeight: 'number',
            },
            ...{ pool: POOL, probes: PROBES, currentWeight: 'number' },
            requests: { total: 'number', failed: 'number' },
          },
        ],
        waiting: [{ ...request, backend: 'null', queuedAt: 'number' }],
        queue: { max: 'number', timeoutMs: 'number' },
        inFlight: [{ ...request, backend: 'string', queuedAt: 'null' }],
        lastChanges: [{ ...INSTANT, fact: 'string' }],
      },
      log: LOG,
    });
  });

  it('is there too where nothing is found', async () => {
    const { code, json } = await jsonOf(busyNight(), 'id-99');
    assert.equal(code, 1);
    assert.deepEqual([json.total, json.requests], [0, []]);
  });
});
