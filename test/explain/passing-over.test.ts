/** Why a backend was taken or passed over, for each reason there is, from a log of a scripted run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoreConfig } from '../../src/actors/events.ts';
import type { Candidate } from '../../src/actors/explain/candidates.ts';
import { whyOf } from '../../src/io/explain/words.ts';
import {
  backend,
  coreConfig,
  ended,
  failed,
  probeFailed,
  probeSucceeded,
  received,
  started,
} from '../support/core.ts';
import { lifeOf, opened, record, type Script, START } from './support.ts';

type Told = { verdict: Candidate['verdict']; why: string; current: readonly [before: number, after: number] };

/** The candidates of the pick that came last for a request, by backend. */
async function candidatesOf(
  config: CoreConfig,
  request: number,
  script: (script: Script) => void,
): Promise<Record<string, Told>> {
  const { timeline } = await lifeOf(record(config, script), String(request));
  const pick = timeline.findLast((event) => event.type === 'picked');
  assert.ok(pick?.type === 'picked', 'there was no pick');
  return Object.fromEntries(
    pick.candidates.map((candidate) => {
      const { verdict, currentWeight } = candidate;
      const current = [currentWeight.before, currentWeight.after] as const;
      return [candidate.backend, { verdict, why: whyOf(candidate, pick.candidates, pick.at), current }];
    }),
  );
}

const TWO = coreConfig({ backends: [backend('a', 5), backend('b', 3)], pool: { size: 2 } });

describe('a backend is', () => {
  it('taken, since its sum is the highest, and the other comes later', async () => {
    const { a, b } = await candidatesOf(TWO, 1, (script) => script.take(received(1)));
    assert.deepEqual(a, { verdict: 'taken', why: '0 + 5 = 5 is the highest', current: [0, -3] });
    const why = 'its turn comes later: 0 + 3 < 0 + 5';
    assert.deepEqual(b, { verdict: 'later', why, current: [0, 3] });
  });

  it('taken, since it stands first in the config among equals', async () => {
    const config = coreConfig({ backends: [backend('a'), backend('b')] });
    const { a, b } = await candidatesOf(config, 1, (script) => script.take(received(1)));
    assert.equal(a?.why, '0 + 1 = 1, and first in the config among equals');
    assert.equal(b?.why, 'its turn comes later: 0 + 1 = 0 + 1, and a stands first in the config');
  });

  it('passed over as unhealthy, with since when and why, and keeps its current weight', async () => {
    const { a, b } = await candidatesOf(TWO, 2, (script) => {
      script.take(received(1));
      script.wait(7000).take(probeFailed('b'), probeFailed('b'), probeFailed('b'));
      script.wait(1000).take(received(2));
    });
    assert.equal(a?.why, 'the only one that can take it');
    const why = 'unhealthy since 03:12:07: 3 of 3 probes failed, the last with: refused';
    assert.deepEqual(b, { verdict: 'unhealthy', why, current: [3, 3] });
  });

  it('passed over as unhealthy since it is new and not probed often enough', async () => {
    const config = coreConfig({ backends: [backend('a')], health: { initial: 'unhealthy' } });
    const { a } = await candidatesOf(config, 1, (script) => script.take(probeSucceeded('a'), received(1)));
    assert.equal(a?.why, 'unhealthy since 03:12:00: new, with 1 of 2 successful probes');
  });

  it('passed over as unhealthy since probes went on to fail while it was drained', async () => {
    const { b } = await candidatesOf(TWO, 1, (script) => {
      script.take({ type: 'operator.drained', backend: 'b' }, probeFailed('b'), probeFailed('b'));
      script.take(probeFailed('b'), { type: 'operator.restored', backend: 'b' }, received(1));
    });
    assert.equal(
      b?.why,
      'unhealthy since 03:12:00: restored by an operator, and its probes fail; the last probe: refused',
    );
  });

  it('passed over since its pool is full', async () => {
    const { a } = await candidatesOf(TWO, 5, (script) => {
      for (let request = 1; request <= 5; request += 1) script.take(received(request));
    });
    assert.deepEqual(a, { verdict: 'full', why: 'its pool is full (2 of 2)', current: [-1, -1] });
  });

  it('passed over since it failed this request before', async () => {
    const { a, b } = await candidatesOf(TWO, 1, (script) => {
      script.take(received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
    });
    assert.deepEqual(a, { verdict: 'failed', why: 'it failed this request before', current: [-3, -3] });
    assert.equal(b?.why, 'the only one that can take it');
  });

  it('passed over as draining while it has leases, and as drained after that', async () => {
    const drain = (script: Script) => {
      script.take(received(1), opened('a', 1));
      script.wait(60_000).take({ type: 'operator.drained', backend: 'a' });
    };
    const draining = await candidatesOf(TWO, 2, (script) => {
      drain(script);
      script.wait(1000).take(received(2));
    });
    assert.equal(draining.a?.verdict, 'draining');
    assert.equal(draining.a?.why, 'draining since 03:13:00: drained by an operator');
    const drained = await candidatesOf(TWO, 2, (script) => {
      drain(script);
      script.take(started(1, 1));
      script.wait(1000).take(ended(1, 1), received(2));
    });
    assert.equal(drained.a?.verdict, 'drained');
    assert.equal(drained.a?.why, 'drained since 03:13:01: drained by an operator');
  });

  it('passed over as draining since a reload removed it', async () => {
    const { a } = await candidatesOf(TWO, 2, (script) => {
      script.take(received(1), opened('a', 1));
      script.take({ type: 'config.reloaded', config: coreConfig({ backends: [backend('b', 3)] }) });
      script.wait(1000).take(received(2));
    });
    assert.equal(a?.why, 'draining since 03:12:00: removed from the config');
  });

  it('told with its time and its day, where that is another', async () => {
    const { b } = await candidatesOf(TWO, 1, (script) => {
      script.take(probeFailed('b'), probeFailed('b'), probeFailed('b'));
      script.wait(86_400_000).take(received(1));
    });
    assert.equal(b?.why, 'unhealthy since 2026-11-23 03:12:00: 3 of 3 probes failed, the last with: refused');
  });

  it('passed over in the very entry in which it falls out', async () => {
    const config = coreConfig({ backends: [backend('a')], pool: { size: 1 } });
    const { a } = await candidatesOf(config, 2, (script) => {
      script.take(received(1), received(2), probeFailed('a'), probeFailed('a'));
      script.wait(9000).take(probeFailed('a'));
    });
    assert.equal(a?.why, 'unhealthy since 03:12:09: 3 of 3 probes failed, the last with: refused');
  });
});

describe('the view of a pick', () => {
  it('is of its own moment, also in the middle of an entry that places several', async () => {
    const folder = record(coreConfig({ backends: [backend('a')], pool: { size: 1 } }), (script) => {
      script.take(received(1), received(2), received(3));
      script.wait(5).take({
        type: 'config.reloaded',
        config: coreConfig({ backends: [backend('a')], pool: { size: 3 } }),
      });
    });
    const poolAt = async (request: number) => {
      const { timeline } = await lifeOf(folder, String(request));
      const pick = timeline.findLast((event) => event.type === 'picked');
      return pick?.type === 'picked' ? [pick.cause, pick.candidates[0]?.pool] : [];
    };
    assert.deepEqual(await poolAt(2), ['room', { leased: 1, idle: 0, size: 3, limit: 3 }]);
    assert.deepEqual(await poolAt(3), ['room', { leased: 2, idle: 0, size: 3, limit: 3 }]);
  });

  it('has the pool as it is after the failed lease was given back', async () => {
    const folder = record(coreConfig({ backends: [backend('a'), backend('b')] }), (script) => {
      script.take(received(1), opened('a', 1), failed(1, 1, { written: false }));
    });
    const { timeline } = await lifeOf(folder, '1');
    const picks = timeline.filter((event) => event.type === 'picked');
    assert.deepEqual(
      picks.map((pick) => [pick.backend, pick.at, pick.candidates.map(({ pool }) => pool.leased)]),
      [
        ['a', START, [0, 0]],
        ['b', START, [0, 0]],
      ],
    );
  });
});
