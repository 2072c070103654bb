/** The desk: numbers for requests, their exchanges for as long as they are under way, and a fact for each turn. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/actors/events.ts';
import { createRequestDesk } from '../../src/streams/requests.ts';
import { notingExchange } from './support.ts';

const arrival = {
  requestId: 'id',
  method: 'POST',
  path: '/v1/chat/completions',
  bodyBytes: 10,
  replayable: true,
};

function watchedDesk() {
  const desk = createRequestDesk();
  const facts: Fact[] = [];
  desk.facts$.subscribe((fact) => facts.push(fact));
  return { desk, facts };
}

describe('the desk', () => {
  it('numbers requests from 1 and tells the core what each is like', () => {
    const { desk, facts } = watchedDesk();
    const numbers = [1, 2, 3].map((bodyBytes) => desk.receive({ ...arrival, bodyBytes }, notingExchange()));
    assert.deepEqual(numbers, [1, 2, 3]);
    assert.deepEqual(
      facts,
      [1, 2, 3].map((n) => ({ type: 'request.received', request: n, ...arrival, bodyBytes: n })),
    );
  });

  it('never gives a number again', () => {
    const { desk } = watchedDesk();
    desk.close(desk.receive(arrival, notingExchange()));
    desk.aborted(desk.receive(arrival, notingExchange()));
    assert.equal(desk.receive(arrival, notingExchange()), 3);
  });

  it('knows the exchange of a request by the time the core hears of it', () => {
    const desk = createRequestDesk();
    const exchange = notingExchange();
    desk.facts$.subscribe(() => desk.exchangeOf(1)?.rejected({ request: 1, code: 'queue_full' }));
    desk.receive(arrival, exchange);
    assert.deepEqual(exchange.told, [{ request: 1, code: 'queue_full' }]);
  });

  it('keeps the exchange of each request until it is closed or aborted', () => {
    const { desk } = watchedDesk();
    const exchanges = [notingExchange(), notingExchange(), notingExchange()];
    for (const exchange of exchanges) desk.receive(arrival, exchange);
    desk.close(1);
    desk.aborted(2);
    assert.equal(desk.exchangeOf(1), undefined);
    assert.equal(desk.exchangeOf(2), undefined);
    assert.equal(desk.exchangeOf(3), exchanges[2]);
    assert.equal(desk.exchangeOf(4), undefined);
  });

  it('reports what was wrong with an answer, where that is known', () => {
    const { desk, facts } = watchedDesk();
    const request = desk.receive(arrival, notingExchange());
    const failure = {
      reason: 'badResponse',
      fault: 'chunkEnd',
      written: true,
      bytes: 20,
      chunks: 2,
    } as const;
    desk.failed(request, 7, failure);
    assert.deepEqual(facts[1], { type: 'response.failed', request, lease: 7, ...failure });
  });

  it('reports how a response went', () => {
    const { desk, facts } = watchedDesk();
    const request = desk.receive(arrival, notingExchange());
    desk.started(request, 7, { status: 200 });
    desk.failed(request, 7, { reason: 'reset', written: true, bytes: 20, chunks: 2 });
    desk.ended(request, 8, { status: 200, bytes: 30, chunks: 3, reusable: true });
    assert.deepEqual(facts.slice(1), [
      { type: 'response.started', request, lease: 7, status: 200 },
      {
        type: 'response.failed',
        request,
        lease: 7,
        reason: 'reset',
        written: true,
        bytes: 20,
        chunks: 2,
      },
      { type: 'response.ended', request, lease: 8, status: 200, bytes: 30, chunks: 3, reusable: true },
    ]);
  });

  it('reports a client that leaves once, however often it is said', () => {
    const { desk, facts } = watchedDesk();
    const request = desk.receive(arrival, notingExchange());
    desk.aborted(request);
    desk.aborted(request);
    assert.deepEqual(facts.slice(1), [{ type: 'client.aborted', request }]);
  });

  it('says why where it is the gateway that gives a request up', () => {
    const { desk, facts } = watchedDesk();
    const request = desk.receive(arrival, notingExchange());
    desk.aborted(request, 'idleReader');
    assert.deepEqual(facts.slice(1), [{ type: 'client.aborted', request, because: 'idleReader' }]);
  });

  it('reports no client that leaves after its request was closed, or before it had one', () => {
    const { desk, facts } = watchedDesk();
    const request = desk.receive(arrival, notingExchange());
    desk.close(request);
    desk.aborted(request);
    desk.aborted(0);
    assert.equal(facts.length, 1);
  });

  it('reports the end of a response though its client has been answered and its request closed', () => {
    const { desk, facts } = watchedDesk();
    const request = desk.receive(arrival, notingExchange());
    desk.close(request);
    desk.ended(request, 1, { status: 200, bytes: 1, chunks: 1, reusable: false });
    assert.equal(facts.at(-1)?.type, 'response.ended');
  });
});
