/** What becomes of a request whose attempt failed: where it may be sent again, and where it must not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, Fact, RejectionCode, UpstreamFailure } from '../../src/actors/events.ts';
import {
  backend,
  coreConfig,
  ended,
  failed,
  given,
  only,
  probeFailed,
  received,
  serveOne,
  started,
} from '../support/core.ts';

const one = [backend('a')];
const types = (decisions: readonly Decision[]) => decisions.map(({ type }) => type);
const opened = (socket: number, id = 'a'): Fact => ({ type: 'socket.opened', backend: id, socket });
const reload = (config = coreConfig()): Fact => ({ type: 'config.reloaded', config });

describe('a failed attempt', () => {
  const two = coreConfig({ backends: [backend('a'), backend('b')] });

  it('is retried elsewhere when the connection could not be opened', () => {
    const scene = given(two);
    scene.when(received(1));
    assert.deepEqual(scene.when({ type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' }), [
      { type: 'lease.released', request: 1, lease: 1, backend: 'a', outcome: 'unopened' },
      { type: 'request.retried', request: 1, from: 'a', reason: 'refused', attempt: 1 },
      { type: 'backend.selected', request: 1, backend: 'b' },
      { type: 'socket.requested', request: 1, lease: 2, backend: 'b', socket: 2 },
    ]);
  });

  it('ends in 502 when every backend refused', () => {
    const scene = given(two);
    scene.when(received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
    const decisions = scene.when({ type: 'socket.failed', backend: 'b', socket: 2, reason: 'refused' });
    assert.deepEqual(decisions, [
      { type: 'lease.released', request: 1, lease: 2, backend: 'b', outcome: 'unopened' },
      { type: 'request.rejected', request: 1, code: 'backend_unreachable', backend: 'b', reason: 'refused' },
    ]);
  });

  for (const reason of ['refused', 'reset', 'closed'] as const) {
    it(`is retried elsewhere when the connection was ${reason} before its first byte`, () => {
      const scene = given(two);
      scene.when(received(1), opened(1));
      assert.equal(only(scene.when(failed(1, 1, { reason })), 'backend.selected')[0]?.backend, 'b');
    });
  }

  it('is not retried on a new socket when emptyResponse is not asked for', () => {
    const scene = given({ ...two, retry: { attempts: 2, on: [] } });
    scene.when(received(1), opened(1));
    assert.equal(only(scene.when(failed(1, 1)), 'request.rejected')[0]?.code, 'backend_failed');
  });

  it('is retried after a stale socket in any case', () => {
    const scene = given({ ...two, retry: { attempts: 2, on: [] } });
    serveOne(scene, 1);
    serveOne(scene, 2);
    const granted = only(scene.when(received(3)), 'lease.granted')[0];
    assert.ok(granted?.reused);
    assert.equal(only(scene.when(failed(3, granted.lease)), 'request.retried').length, 1);
  });

  it('asks a lone backend again over a new socket when a kept one was stale', () => {
    const scene = given(coreConfig({ backends: one }));
    serveOne(scene, 1);
    scene.when(received(2));
    assert.deepEqual(types(scene.when(failed(2, 2))), [
      'lease.released',
      'socket.evicted',
      'request.retried',
      'backend.selected',
      'socket.requested',
    ]);
  });

  it('asks no backend again but the one whose kept socket was stale', () => {
    const scene = given(coreConfig({ backends: [backend('a'), backend('b', 5)] }));
    scene.when({ type: 'operator.drained', backend: 'b' });
    assert.equal(serveOne(scene, 1), 'a');
    scene.when({ type: 'operator.restored', backend: 'b' });
    const [asked] = only(scene.when(received(2)), 'socket.requested');
    assert.equal(asked?.backend, 'b');
    const refused = { type: 'socket.failed', backend: 'b', socket: asked.socket, reason: 'refused' } as const;
    const [granted] = only(scene.when(refused), 'lease.granted');
    assert.ok(granted?.reused);
    assert.equal(only(scene.when(failed(2, granted.lease)), 'backend.selected')[0]?.backend, 'a');
  });

  it('does not ask a lone backend again when a new socket was lost', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1));
    assert.equal(only(scene.when(failed(1, 1)), 'request.rejected')[0]?.code, 'backend_failed');
  });

  it('because of a stale socket uses up no attempt, and is followed by a new socket', () => {
    const scene = given({ ...two, retry: { attempts: 0, on: [] } });
    serveOne(scene, 1);
    serveOne(scene, 2);
    const granted = only(scene.when(received(3)), 'lease.granted')[0];
    const decisions = scene.when(failed(3, granted?.lease ?? 0));
    assert.equal(only(decisions, 'request.retried')[0]?.attempt, 0);
    assert.deepEqual(
      scene.balancer.backends().map(({ requests }) => requests.failed),
      [0, 0],
    );
    assert.equal(only(decisions, 'socket.requested')[0]?.backend, 'b');
  });

  it('at an address that the backend has left is retried at the new one', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), reload(coreConfig({ backends: [{ ...backend('a'), port: 9999 }] })));
    const decisions = scene.when({ type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
    assert.equal(only(decisions, 'socket.requested')[0]?.backend, 'a');
  });

  it('is not sent away by a full queue, whose place it had before', () => {
    const config = { pool: { size: 1 }, queue: { max: 1, timeoutMs: 1000 } };
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')], ...config }));
    scene.when(received(1), received(2), opened(1, 'a'), opened(2, 'b'), received(3));
    const decisions = scene.when(failed(1, 1));
    assert.deepEqual(
      only(decisions, 'request.queued').map(({ request }) => request),
      [1],
    );
    assert.deepEqual(only(decisions, 'request.rejected'), []);
  });

  it('leaves only what is left of queue.timeoutMs for a second wait', () => {
    const config = { pool: { size: 1 }, queue: { timeoutMs: 1000 } };
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')], ...config }));
    scene.when(received(1), received(2), opened(1, 'a'), opened(2, 'b'), received(3));
    scene.after(600).when(ended(1, 1), received(4));
    const [again] = only(scene.when(failed(3, 3)), 'request.queued');
    assert.equal(again && again.deadline - 1_000_609, 399);
  });

  it('is never retried after the first response byte', () => {
    const scene = given(two);
    scene.when(received(1), opened(1), started(1, 1));
    assert.deepEqual(types(scene.when(failed(1, 1))), ['lease.released', 'socket.evicted']);
  });

  it('is not retried once written when the body cannot be sent again', () => {
    const scene = given(two);
    scene.when(received(1, { replayable: false }), opened(1));
    assert.equal(only(scene.when(failed(1, 1)), 'request.rejected')[0]?.code, 'backend_failed');
  });

  it('is not retried after a timeout, since the backend may still be at work', () => {
    const scene = given(two);
    scene.when(received(1), opened(1));
    const decisions = scene.when(failed(1, 1, { reason: 'headersTimeout' }));
    assert.equal(only(decisions, 'request.rejected')[0]?.code, 'backend_timeout');
  });

  it('is retried no more often than retry.attempts', () => {
    const backends = ['a', 'b', 'c', 'd'].map((id) => backend(id));
    const scene = given(coreConfig({ backends, retry: { attempts: 2 } }));
    scene.when(received(1));
    const decisions = [1, 2, 3].flatMap((socket) =>
      scene.when({
        type: 'socket.failed',
        backend: backends[socket - 1]?.id ?? '',
        socket,
        reason: 'refused',
      }),
    );
    assert.equal(only(decisions, 'request.retried').length, 2);
    assert.equal(only(decisions, 'request.rejected').length, 1);
  });

  it('waits for room elsewhere, in its old place in the line', () => {
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 } }));
    scene.when(received(1), received(2), received(3), opened(1, 'a'), opened(2, 'b'));
    const decisions = scene.when(failed(1, 1));
    // Request 3 may use the room at a, which request 1 must not ask again.
    assert.equal(only(decisions, 'backend.selected')[0]?.request, 3);
    assert.equal(only(scene.when(ended(2, 2)), 'backend.selected')[0]?.request, 1);
  });

  it('gives up waiting when the only backend it has not tried falls', () => {
    const scene = given(
      coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 }, health: { fall: 1 } }),
    );
    scene.when(received(1), received(2), opened(1, 'a'), opened(2, 'b'), failed(1, 1));
    assert.equal(only(scene.when(probeFailed('b')), 'request.rejected')[0]?.code, 'backend_failed');
  });

  it('gives up waiting while others, who have not tried anything, go on', () => {
    const backends = [backend('a'), backend('b')];
    const scene = given(coreConfig({ backends, pool: { size: 1 }, health: { fall: 1 } }));
    scene.when(received(1), received(2), opened(1, 'a'), opened(2, 'b'), received(3), received(4));
    scene.when(ended(1, 1), ended(2, 2), opened(3, 'a'), received(5));
    // 3 is at a, 4 at b, and 5 waits for either. 4 fails at b and waits for a, which then falls.
    const failure = scene.when(failed(4, 4));
    assert.equal(only(failure, 'request.queued')[0]?.request, 4);
    const decisions = scene.when(probeFailed('a'));
    assert.deepEqual(
      only(decisions, 'request.rejected').map(({ request }) => request),
      [4],
    );
  });

  it('gives up waiting behind others, who have not tried anything and go on', () => {
    const backends = [backend('a'), backend('b')];
    const scene = given(coreConfig({ backends, pool: { size: 1 }, health: { fall: 1 } }));
    // 9 is at a; 10 fails at b, which 3 gets, and waits for a, with 4 before it in the line.
    scene.when(received(9), received(10), opened(1, 'a'), opened(2, 'b'), received(3), failed(10, 2));
    scene.when(received(4));
    const decisions = scene.when(probeFailed('a'));
    assert.deepEqual(
      only(decisions, 'request.rejected').map(({ request }) => request),
      [10],
    );
  });

  it('that is reported late, for a lease of before, changes nothing', () => {
    const scene = given(two);
    scene.when(received(1), opened(1), failed(1, 1));
    assert.deepEqual(scene.when(failed(1, 1), ended(1, 1), started(1, 1)), []);
  });
});

describe('the code that the client reads where no other backend is asked', () => {
  const codes: Readonly<Record<UpstreamFailure, RejectionCode>> = {
    refused: 'backend_unreachable',
    unresolved: 'backend_unreachable',
    tls: 'backend_unreachable',
    certExpired: 'backend_unreachable',
    certWrongName: 'backend_unreachable',
    certUntrusted: 'backend_unreachable',
    exhausted: 'backend_unreachable',
    connectTimeout: 'backend_timeout',
    headersTimeout: 'backend_timeout',
    idleTimeout: 'backend_timeout',
    reset: 'backend_failed',
    closed: 'backend_failed',
    badResponse: 'backend_failed',
    other: 'backend_failed',
  };
  for (const [reason, code] of Object.entries(codes) as [UpstreamFailure, RejectionCode][]) {
    it(`is ${code} where it failed by ${reason}`, () => {
      const scene = given(coreConfig({ backends: one, retry: { attempts: 0, on: [] } }));
      scene.when(received(1), opened(1));
      assert.deepEqual(only(scene.when(failed(1, 1, { reason })), 'request.rejected'), [
        { type: 'request.rejected', request: 1, code, backend: 'a', reason },
      ]);
    });
  }
});
