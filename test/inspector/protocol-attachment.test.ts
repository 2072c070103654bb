/** Watching changes nothing of what is watched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { backendMachine } from '../../src/actors/backend.ts';
import { type Balancer, createBalancer } from '../../src/actors/balancer.ts';
import type { Entry, Fact } from '../../src/actors/events.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import { type Attachment, attach } from '../../src/io/inspector/protocol/attachment.ts';
import { coreConfig, probeFailed } from '../support/core.ts';
import { ACTION_KINDS, createWorld } from '../support/random-world.ts';

/** A core with somebody who may watch it. */
function createWatched() {
  const balancer = createBalancer();
  const entries$ = new Subject<Entry>();
  const told: string[] = [];
  const errors: unknown[] = [];
  let seq = 0;
  return {
    balancer,
    told,
    errors,
    watch: (): Attachment =>
      attach(
        { core: balancer.core, entries$, machine: backendMachine.config },
        {
          tell: (texts) => told.push(...texts),
          show: (texts) => told.push(...texts),
          onError: (error) => errors.push(error),
        },
      ),
    isObserved: () => entries$.observed,
    take(fact: Fact, at: number) {
      seq += 1;
      const decisions = balancer.step(fact, at);
      entries$.next({ v: 1, seq, at, fact, decisions });
      return decisions;
    },
  };
}

const stateOf = ({ core }: Balancer) => JSON.stringify(takeSnapshot(core));
const STARTED: Fact = { type: 'gateway.started', version: 'test', config: coreConfig() };

const acts = fc.array(fc.tuple(fc.nat({ max: ACTION_KINDS - 1 }), fc.nat({ max: 0xffff })), {
  minLength: 20,
  maxLength: 300,
  size: 'max',
});

describe('a core that is watched', () => {
  it('decides as one that is not, and is in the same state after every step', () => {
    let told = 0;
    fc.assert(
      fc.property(acts, fc.integer({ min: 1, max: 40 }), (list, changeEvery) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        const alone = createBalancer();
        const watched = createWatched();
        let attachment: Attachment | undefined;
        for (const [index, { fact, at, decisions }] of world.history.entries()) {
          if (index % changeEvery === 0) {
            // Viewers come and go.
            attachment?.detach();
            attachment = attachment === undefined ? watched.watch() : undefined;
            attachment?.opening();
          }
          alone.step(fact, at);
          assert.deepEqual(watched.take(fact, at), decisions);
          assert.equal(stateOf(watched.balancer), stateOf(alone));
        }
        attachment?.detach();
        assert.deepEqual(watched.errors, []);
        told += watched.told.length;
      }),
      { numRuns: 100 },
    );
    assert.ok(told > 100, `only ${told} messages were told`);
  });

  it('does not feel a mistake in the watching', (t) => {
    const watched = createWatched();
    watched.take(STARTED, 1);
    const attachment = watched.watch();
    t.mock.method(JSON, 'stringify', () => {
      throw new TypeError('a mistake of ours');
    });
    const decisions = [2, 3, 4].flatMap((at) => watched.take(probeFailed('a'), at));
    t.mock.restoreAll();
    attachment.detach();
    assert.deepEqual(
      decisions.map(({ type }) => type),
      ['backend.changed'],
    );
    assert.ok(watched.errors.length > 0);
  });

  it('tells nothing any more, and is not observed, once it is let go', () => {
    const watched = createWatched();
    watched.take(STARTED, 1);
    const attachment = watched.watch();
    watched.take(probeFailed('a'), 2);
    assert.ok(watched.told.length > 0);
    attachment.detach();
    const before = watched.told.length;
    watched.take(probeFailed('a'), 3);
    assert.equal(watched.told.length, before);
    assert.equal(watched.isObserved(), false);
  });

  it('is told of in frames only when something has happened', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const watched = createWatched();
    watched.take(STARTED, 1);
    const attachment = watched.watch();
    t.mock.timers.tick(1_000);
    assert.deepEqual(watched.told, []);
    for (let at = 2; at < 1_000; at++) {
      watched.take({ type: 'timer.fired', timer: 'sweep' }, at);
    }
    assert.deepEqual(watched.told, []);
    t.mock.timers.tick(100);
    const [event, snapshot, ...rest] = watched.told.map((text) => JSON.parse(text));
    assert.deepEqual(event.event, { type: 'frame', events: { swept: 998 } });
    assert.equal(snapshot.type, '@xstate.snapshot');
    assert.deepEqual(rest, []);
    t.mock.timers.tick(1_000);
    assert.equal(watched.told.length, 2);
    attachment.detach();
  });
});
