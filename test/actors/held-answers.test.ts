/** Answers of a status in `retry.on`: which are thrown away, and which go to the client all the same. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact, RetryRefusal } from '../../src/actors/events.ts';
import {
  backend,
  type ConfigChanges,
  coreConfig,
  ended,
  failed,
  given,
  held,
  only,
  probeFailed,
  received,
  type Scene,
  started,
} from '../support/core.ts';

const TWO: ConfigChanges = {
  backends: [backend('a'), backend('b')],
  retry: { attempts: 1, on: ['503', '429'] },
};
const opened = (socket: number, id: string): Fact => ({ type: 'socket.opened', backend: id, socket });

function sent(changes: ConfigChanges = {}, replayable = true): Scene {
  const scene = given(coreConfig({ ...TWO, ...changes }));
  scene.when(received(1, { replayable }), opened(1, 'a'));
  return scene;
}

describe('an answer that is held back', () => {
  it('is thrown away, and the request sent to another backend', () => {
    assert.deepEqual(sent().when(held(1, 1, 503)), [
      { type: 'response.discarded', request: 1, lease: 1, backend: 'a', status: 503 },
      { type: 'lease.released', request: 1, lease: 1, backend: 'a', outcome: 'discarded' },
      { type: 'socket.evicted', backend: 'a', socket: 1, reason: 'unusable' },
      { type: 'request.retried', request: 1, from: 'a', reason: 'status 503', attempt: 1 },
      { type: 'backend.selected', request: 1, backend: 'b' },
      { type: 'socket.requested', request: 1, lease: 2, backend: 'b', socket: 2 },
    ]);
  });

  it('is none if its answer has begun: nothing is thrown away of which the client has a part', () => {
    const scene = sent();
    scene.when(started(1, 1, 503));
    assert.deepEqual(scene.when(held(1, 1, 503)), []);
  });

  const refusals: readonly [string, RetryRefusal, () => Scene, number?][] = [
    ['its status is not in retry.on', 'notConfigured', () => sent(), 502],
    ['the body cannot be sent again', 'notReplayable', () => sent({}, false)],
    ['no attempt is left', 'attemptsUsedUp', () => sent({ retry: { attempts: 0, on: ['503'] } })],
    ['there is no other backend', 'noOtherBackend', () => sent({ backends: [backend('a')] })],
    [
      'the other backend is unhealthy',
      'noOtherBackend',
      () => {
        const scene = sent({ health: { fall: 1 } });
        scene.when(probeFailed('b'));
        return scene;
      },
    ],
    [
      'the other backend has no room at once',
      'noOtherBackend',
      () => {
        const scene = sent({ pool: { size: 1 } });
        scene.when(received(2));
        return scene;
      },
    ],
    [
      'the other backend asked to be left alone',
      'noOtherBackend',
      () => {
        const scene = sent({ outlier: {} });
        scene.when(received(2), opened(2, 'b'), held(2, 2, 404, 5000));
        return scene;
      },
    ],
  ];
  for (const [title, because, play, status = 503] of refusals) {
    it(`goes to the client where ${title}`, () => {
      const scene = play();
      assert.deepEqual(scene.when(held(1, 1, status)), [
        { type: 'response.passed', request: 1, lease: 1, because },
      ]);
      // It is the client's now: what breaks it off cannot be mended.
      assert.deepEqual(
        scene.when(failed(1, 1)).map(({ type }) => type),
        ['lease.released', 'socket.evicted'],
      );
    });
  }

  it('goes to the client when the second backend gives one too', () => {
    const scene = sent();
    scene.when(held(1, 1), opened(2, 'b'));
    assert.deepEqual(scene.when(held(1, 2)), [
      { type: 'response.passed', request: 1, lease: 2, because: 'attemptsUsedUp' },
    ]);
    assert.deepEqual(only(scene.when(ended(1, 2, true, 503)), 'lease.released')[0]?.outcome, 'ended');
  });

  it('goes to the client when all backends gave one, however many attempts are left', () => {
    const world = sent({ retry: { attempts: 9, on: ['503'] } });
    world.when(held(1, 1, 503), opened(2, 'b'));
    assert.equal(only(world.when(held(1, 2, 503)), 'response.passed')[0]?.because, 'noOtherBackend');
  });

  it('counts against its backend as if the client had got it', () => {
    const scene = sent({ outlier: { consecutiveFailures: 1 } });
    assert.equal(only(scene.when(held(1, 1, 503)), 'backend.changed')[0]?.to, 'ejected');
    const busy = sent({ outlier: { consecutiveFailures: 1 } });
    assert.deepEqual(only(busy.when(held(1, 1, 429)), 'backend.changed'), []);
  });

  it('of a request whose client has left is nobody’s', () => {
    const scene = sent();
    scene.when({ type: 'client.aborted', request: 1 });
    assert.deepEqual(scene.when(held(1, 1)), []);
  });
});

/** The end of an answer that asks to be left alone. */
function asking(status: number, retryAfterMs: number): Fact {
  const amount = { bytes: 0, chunks: 0, reusable: true };
  return { type: 'response.ended', request: 1, lease: 1, status, ...amount, retryAfterMs };
}

describe('Retry-After', () => {
  const counts = (scene: Scene, requests: readonly number[]) => {
    const chosen = requests.map((request) => only(scene.when(received(request)), 'backend.selected')[0]);
    return chosen.map((decision) => decision?.backend).join('');
  };

  it('has the backend passed over while there are others, until its time is over', () => {
    const scene = sent({ retry: { on: [] }, outlier: {} });
    assert.deepEqual(only(scene.when(asking(429, 1000)), 'backend.paused'), [
      { type: 'backend.paused', backend: 'a', until: 1_001_004 },
    ]);
    assert.equal(counts(scene, [2, 3, 4]), 'bbb');
    assert.equal(counts(scene.after(1000), [5, 6]), 'ba');
  });

  it('is a wish: where there is no other, the backend is asked all the same', () => {
    const scene = sent({ retry: { on: [] }, outlier: {}, pool: { size: 2 } });
    scene.when(asking(429, 1000));
    assert.equal(counts(scene, [2, 3, 4, 5]), 'bbaa');
  });

  it('is heeded no longer than an ejection lasts', () => {
    const scene = sent({ retry: { on: [] }, outlier: { maxEjectionMs: 700 } });
    const decisions = scene.when(asking(503, 86_400_000));
    assert.equal(only(decisions, 'backend.paused')[0]?.until, 1_000_704);
  });

  it('leaves the current weights as they were', () => {
    const scene = sent({ backends: [backend('a', 3), backend('b', 2)], retry: { on: [] }, outlier: {} });
    scene.when(asking(429, 1000));
    const sum = () =>
      scene.balancer.backends().reduce((total, { currentWeight }) => total + currentWeight, 0);
    const before = sum();
    counts(scene, [2, 3, 4, 5]);
    assert.equal(sum(), before);
  });

  it('is forgotten when the backend moves to another address', () => {
    const scene = sent({ retry: { on: [] }, outlier: {} });
    scene.when(asking(429, 100_000));
    const backends = [{ ...backend('a'), port: 9999 }, backend('b')];
    scene.when({ type: 'config.reloaded', config: coreConfig({ ...TWO, backends, outlier: {} }) });
    assert.match(counts(scene, [2, 3]), /a/);
  });
});
