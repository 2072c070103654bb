/** Reloads: one at a time, in the order they were asked for, each answered when the core has heard of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Subject } from 'rxjs';
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Entry, Fact } from '../../src/actors/events.ts';
import { type ReloadTrigger, reloadFacts } from '../../src/streams/config.ts';
import { mergeFacts } from '../../src/streams/facts.ts';
import type { ReloadOutcome } from '../../src/streams/ports.ts';
import { backend, coreConfig } from '../support/core.ts';
import { raise } from './support.ts';

const good = (id: string): ReloadOutcome => ({
  ok: true,
  config: coreConfig({ backends: [backend(id)] }),
  changed: ['backends'],
  needRestart: [],
});
const problem = { key: 'health.fall', value: '0', origin: 'test.json', expected: 'must be 1 or more' };
const bad: ReloadOutcome = { ok: false, problems: [problem, problem] };

/** Reloads that lead into a core; `story` tells what happened, in order. */
function reloading(...outcomes: readonly ReloadOutcome[]) {
  const triggers$ = new Subject<ReloadTrigger>();
  const control$ = new Subject<Fact>();
  const entries$ = new Subject<Entry>();
  const story: string[] = [];
  const told: ReloadOutcome[] = [];
  const balancer = createBalancer();
  let loads = 0;
  const load = () => {
    const outcome = outcomes[loads];
    assert.ok(outcome, 'loaded more often than asked for');
    loads += 1;
    story.push(`load ${loads}`);
    return outcome;
  };
  mergeFacts([control$, reloadFacts(triggers$, load)], balancer, { now: () => 0 }, entries$, raise);
  entries$.subscribe(({ fact }) => story.push(fact.type));
  const ask = (name: string, after = () => {}) =>
    triggers$.next({
      done(outcome) {
        story.push(`${name} done`);
        told.push(outcome);
        after();
      },
    });
  return { ask, story, told, control$, entries$, balancer };
}

describe('a reload', () => {
  it('is taken in by the core, and then its asker is told', () => {
    const { ask, story, told, balancer } = reloading(good('a'));
    ask('reload');
    assert.deepEqual(story, ['load 1', 'config.reloaded', 'reload done']);
    assert.deepEqual(told, [good('a')]);
    assert.deepEqual(
      balancer.backends().map(({ id }) => id),
      ['a'],
    );
  });

  it('of a bad config is a fact that counts its problems, and changes nothing', () => {
    const { ask, story, told, entries$, balancer } = reloading(good('a'), bad);
    const facts: Fact[] = [];
    ask('first');
    entries$.subscribe(({ fact }) => facts.push(fact));
    const before = balancer.backends();
    ask('second');
    assert.deepEqual(facts, [{ type: 'config.rejected', problems: 2 }]);
    assert.deepEqual(told[1], bad);
    assert.deepEqual(story.slice(3), ['load 2', 'config.rejected', 'second done']);
    assert.deepEqual(balancer.backends(), before);
  });

  it('after a bad one works', () => {
    const { ask, story } = reloading(bad, good('b'));
    ask('first');
    ask('second');
    assert.deepEqual(story.slice(3), ['load 2', 'config.reloaded', 'second done']);
  });

  it('that is asked for during another begins when that one has been answered', () => {
    const { ask, story, entries$, balancer } = reloading(good('a'), good('b'), good('c'));
    const asking = entries$.subscribe(() => {
      asking.unsubscribe();
      ask('second');
      ask('third');
    });
    ask('first');
    assert.deepEqual(story, [
      'load 1',
      'config.reloaded',
      'first done',
      'load 2',
      'config.reloaded',
      'second done',
      'load 3',
      'config.reloaded',
      'third done',
    ]);
    assert.deepEqual(
      balancer.backends().map(({ id }) => id),
      ['c'],
    );
  });

  it('that is asked for by the asker of another comes after it', () => {
    const { ask, story } = reloading(good('a'), good('b'));
    ask('first', () => ask('second'));
    assert.deepEqual(story.slice(2), ['first done', 'load 2', 'config.reloaded', 'second done']);
  });

  it('that is asked for while another fact is carried out is still taken in before its asker is told', () => {
    const { ask, story, control$, entries$ } = reloading(good('a'));
    const asking = entries$.subscribe(() => {
      asking.unsubscribe();
      ask('reload');
    });
    control$.next({ type: 'operator.drained', backend: 'a' });
    assert.deepEqual(story, ['operator.drained', 'load 1', 'config.reloaded', 'reload done']);
  });
});
