/** Backends that answer their probes and fail their requests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackendStatus, Decision, Entry } from '../../src/actors/events.ts';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type Outcome, runLoad } from '../support/load.ts';

/** Stops after this many requests have been begun. */
function times(count: number): () => boolean {
  let begun = 0;
  return () => {
    begun += 1;
    return begun <= count;
  };
}

const turns =
  (to: BackendStatus) =>
  ({ decisions }: Entry): boolean =>
    decisions.some((decision) => decision.type === 'backend.changed' && decision.to === to);

const isPickOf = (backend: string) => (decision: Decision) =>
  decision.type === 'backend.selected' && decision.backend === backend;

const servedBy = (outcomes: readonly Outcome[], name: string) =>
  outcomes.filter((outcome) => outcome.kind === 'ok' && outcome.backend === name).length;

describe('a backend that fails real requests', () => {
  it('is ejected though its probes succeed, and comes back when its time is over', async () => {
    await using fleet = await startFleet(2);
    const [bad] = fleet.mocks;
    bad?.set({ fault: 'status=500' });
    await using gateway = await startTestGateway({
      backends: weighted(fleet.mocks, [3, 1]),
      outlier: { consecutiveFailures: 5, baseEjectionMs: 500 },
    });
    const ask = (count: number) => runLoad({ url: gateway.url, clients: 1, goOn: times(count) });
    // However slow the machine is: it is well before it is back.
    const ejecting = gateway.entry(turns('ejected')).finally(() => bad?.set({ fault: null }));
    await ask(40);
    const [ejected, back] = await Promise.all([ejecting, gateway.entry(turns('healthy'))]);
    const picked = gateway.entries
      .filter(({ seq, decisions }) => seq < back.seq && decisions.some(isPickOf('a')))
      .map(({ seq }) => seq < ejected.seq);
    assert.deepEqual(picked, [true, true, true, true, true]);
    assert.deepEqual(back.fact, { type: 'timer.fired', timer: 'ejection', backend: 'a' });
    assert.ok(back.at - ejected.at >= 500, `${back.at - ejected.at} ms`);
    assert.equal(servedBy(await ask(40), 'a'), 30);
  });

  it('is ejected when its connections are refused, long before its probes can tell', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    await gateway.fact('probe.succeeded', 2);
    await fleet.mocks[0]?.close();
    const outcomes = await runLoad({ url: gateway.url, clients: 4, goOn: times(60) });
    assert.equal(servedBy(outcomes, 'b'), 60);
    const { decisions } = await gateway.entry(turns('ejected'));
    const [changed] = decisions.filter((decision) => decision.type === 'backend.changed');
    assert.match(changed?.reason ?? '', /^5 requests in a row failed, the last with: refused; out for 30 s$/);
  });

  it('stays where it is for answers that are about the request', async () => {
    await using fleet = await startFleet(2, { fault: 'status=429' });
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const outcomes = await runLoad({ url: gateway.url, clients: 2, goOn: times(40) });
    assert.deepEqual([servedBy(outcomes, 'a'), servedBy(outcomes, 'b')], [20, 20]);
  });
});
