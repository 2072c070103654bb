/** Viewers that read slowly, say too much, or are gone without a word. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { backendMachine } from '../../src/actors/backend.ts';
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Entry, Fact } from '../../src/actors/events.ts';
import { createInspectorProtocol } from '../../src/io/inspector/protocol/protocol.ts';
import { createViewers, type ViewerSocket } from '../../src/io/inspector/protocol/viewers.ts';
import { createLogger } from '../../src/io/log.ts';
import { coreConfig, probeFailed } from '../support/core.ts';
import { startTestGateway } from '../support/gateway.ts';
import { inspectorUrl, joinAs } from './viewers.ts';

/** A socket whose other end takes nothing. */
class StuckSocket extends EventEmitter implements ViewerSocket {
  bufferedAmount = 0;
  pings = 0;
  isCut = false;
  send(text: string): void {
    this.bufferedAmount += text.length;
  }
  ping(): void {
    this.pings += 1;
  }
  close(): void {
    this.terminate();
  }
  terminate(): void {
    this.isCut = true;
    this.emit('close');
  }
}

function watchedBy(...sockets: readonly StuckSocket[]) {
  const events = { slow: 0, left: 0 };
  const viewers = createViewers({
    onSlow: () => {
      events.slow += 1;
    },
    onLeft: () => {
      events.left += 1;
    },
  });
  for (const socket of sockets) viewers.add(socket, ['opening']);
  return { viewers, events };
}

describe('a viewer that is behind', () => {
  it('is shown no more frames, but told of everything else', () => {
    const socket = new StuckSocket();
    const { viewers } = watchedBy(socket);
    for (let frame = 0; frame < 1_000; frame++) viewers.show(['f'.repeat(1_000)]);
    assert.ok(socket.bufferedAmount < 70_000, `${socket.bufferedAmount} bytes of frames`);
    const before = socket.bufferedAmount;
    viewers.tell(['changed']);
    assert.equal(socket.bufferedAmount, before + 'changed'.length);
  });

  it('is cut off at a bound, alone', () => {
    const stuck = new StuckSocket();
    const quick = new StuckSocket();
    const { viewers, events } = watchedBy(stuck, quick);
    for (let message = 0; message < 10_000; message++) {
      viewers.tell(['m'.repeat(1_000)]);
      quick.bufferedAmount = 0;
    }
    assert.deepEqual([stuck.isCut, quick.isCut, viewers.count], [true, false, 1]);
    assert.deepEqual(events, { slow: 1, left: 1 });
    assert.ok(stuck.bufferedAmount < 4.1 * 1024 * 1024, `${stuck.bufferedAmount} bytes waited`);
  });

  it('that is real is cut off, and the core no longer watched', async (t) => {
    const { server, take, warnings, protocol } = await startProtocol(t);
    const { port } = server.address() as AddressInfo;
    const client = net.connect(port, '127.0.0.1');
    t.after(() => client.destroy());
    // What it does not read is dropped in the end, and it hears of that.
    client.on('error', () => {});
    client.write(
      'GET /inspector/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await once(client, 'readable');
    client.pause();
    assert.equal(protocol.viewers, 1);
    let facts = 0;
    // 40,000 are some 35 MB: more than the system's buffers and ours hold.
    for (; facts < 40_000 && protocol.viewers > 0; facts++) {
      take(probeFailed('a'));
      if (facts % 100 === 0) await setImmediate();
    }
    assert.equal(protocol.viewers, 0, `still there after ${facts} probes`);
    const [warning] = warnings;
    assert.match(warning?.msg ?? '', /reads too slowly/);
    assert.ok(Number(warning?.bufferedBytes) < 4.2 * 1024 * 1024, `${warning?.bufferedBytes} bytes waited`);
  });
});

type Warning = { readonly msg: string; readonly bufferedBytes?: number };

/** The protocol on a server of its own, with a core whose facts the test makes. */
async function startProtocol(t: TestContext) {
  const balancer = createBalancer();
  const entries$ = new Subject<Entry>();
  let seq = 0;
  const take = (fact: Fact) => {
    seq += 1;
    entries$.next({ v: 1, seq, at: seq, fact, decisions: balancer.step(fact, seq) });
  };
  take({ type: 'gateway.started', version: 'test', config: coreConfig() });
  const { log } = createLogger({ level: 'silent', format: 'json' });
  const warnings: Warning[] = [];
  t.mock.method(log, 'warn', (fields: object, msg: string) => warnings.push({ ...fields, msg }));
  const protocol = createInspectorProtocol({
    inspected: { core: balancer.core, entries$, machine: backendMachine.config },
    isAllowed: () => true,
    log,
  });
  const server = http.createServer();
  protocol.listen(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    return protocol.close();
  });
  return { server, take, warnings, protocol };
}

describe('a viewer', () => {
  it('that answers no ping is taken for dead', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const dead = new StuckSocket();
    const alive = new StuckSocket();
    const { viewers } = watchedBy(dead, alive);
    t.mock.timers.tick(15_000);
    assert.deepEqual([dead.pings, alive.pings], [1, 1]);
    alive.emit('pong');
    t.mock.timers.tick(15_000);
    assert.deepEqual([dead.isCut, alive.isCut, viewers.count], [true, false, 1]);
  });

  it('that says something is not listened to, and one that says much is cut off', async () => {
    await using gateway = await startTestGateway({});
    const viewer = await joinAs(inspectorUrl(gateway));
    viewer.send('hello');
    viewer.send(JSON.stringify({ type: '@xstate.event', event: { type: 'operator.drained' } }));
    await new Promise((answered) => {
      viewer.once('pong', answered);
      viewer.ping();
    });
    viewer.send('x'.repeat(2_000));
    await once(viewer, 'close');
    const facts = gateway.entries.map(({ fact }) => fact.type);
    assert.deepEqual(facts, []);
  });

  it('is refused when as many watch as may', async () => {
    await using gateway = await startTestGateway({});
    const url = inspectorUrl(gateway);
    await Promise.all(Array.from({ length: 16 }, () => joinAs(url)));
    await assert.rejects(joinAs(url), /503/);
  });
});
