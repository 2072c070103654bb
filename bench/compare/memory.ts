/** Resident memory that an open stream adds while nothing flows, as during prefill or a pause of generation. */
import { mkdtempSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStreamBackends } from './backends.ts';
import type { Bench } from './bench-run.ts';
import { openConnection } from './connection.ts';
import { chatRequest } from './fixed-answer.ts';
import { createMessageReader } from './message-reader.ts';
import { type ProxyName, startProxy } from './proxies.ts';
import { createRequestLoad } from './request-load.ts';
import { residentKb } from './usage.ts';

/** Of one proxy, by round, each round a process of its own. */
export type MemoryResult = {
  /** Before a stream is open. */
  readonly baseKb: number[];
  /** For each of the first streams. A heap that has grown under the load before may have room for a part of them. */
  readonly firstKb: number[];
  /** For each of as many again, which is what a stream costs. */
  readonly nextKb: number[];
};

export type MemoryFigures = {
  readonly streams: number;
  readonly rounds: number;
  readonly proxies: Map<string, MemoryResult>;
};

const MEASURED: readonly ProxyName[] = ['Reprise', 'fast-proxy', 'nginx'];
const STREAMS = 2000;
const QUICK_STREAMS = 50;
const ROUNDS = 3;
/** Requests at a time before, as the base is a gateway in service and not one that has just started. */
const WARM_UP_CONNECTIONS = 64;
const WARM_UP_REQUESTS = 20_000;
const QUICK_WARM_UP_REQUESTS = 100;
/** Opened at a time: a burst would measure what a burst leaves behind. */
const AT_A_TIME = 20;
const SETTLING_MS = 4_000;
const QUICK_SETTLING_MS = 200;
/** One chunk now, and the other in an hour. */
const IDLE = { chunks: 2, gapMs: 3_600_000 };
const OPEN_WITHIN_MS = 10_000;

/** Measures Reprise, fast-proxy and nginx, as far as they take part in the run. */
export async function measureMemory(bench: Bench): Promise<MemoryFigures> {
  const streams = bench.isQuick ? QUICK_STREAMS : STREAMS;
  const rounds = bench.rounds ?? (bench.isQuick ? 1 : ROUNDS);
  const names = bench.contestants.map(({ name }) => name).filter((name) => MEASURED.includes(name));
  const proxies: MemoryFigures['proxies'] = new Map(
    names.map((name) => [name, { baseKb: [], firstKb: [], nextKb: [] }]),
  );
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`memory: ${streams} idle streams, round ${round + 1} of ${rounds}`);
    for (const name of names) {
      const [base, first, next] = await measure(name, streams, bench);
      const result = proxies.get(name);
      result?.baseKb.push(base);
      result?.firstKb.push((first - base) / streams);
      result?.nextKb.push((next - first) / streams);
    }
  }
  return { streams, rounds, proxies };
}

/** @returns kilobytes resident without a stream, with so many, and with twice as many */
async function measure(name: ProxyName, streams: number, bench: Bench): Promise<[number, number, number]> {
  const { isQuick, peersFolder } = bench;
  const folder = mkdtempSync(join(bench.folder, 'memory-'));
  const backends = await startStreamBackends(IDLE);
  const maxSockets = 2 * streams + WARM_UP_CONNECTIONS;
  const proxy = await startProxy(name, { folder, backends: backends.ports, maxSockets, peersFolder });
  const sockets: Socket[] = [];
  const settled = async () => {
    await sleep(isQuick ? QUICK_SETTLING_MS : SETTLING_MS);
    return residentKb(proxy.pid);
  };
  const settledWith = async (count: number) => {
    while (sockets.length < count) {
      const next = Math.min(AT_A_TIME, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: next }, () => openStream(proxy.port)))));
    }
    return settled();
  };
  try {
    const load = createRequestLoad(proxy.port, WARM_UP_CONNECTIONS);
    await load.slice(isQuick ? QUICK_WARM_UP_REQUESTS : WARM_UP_REQUESTS);
    load.close();
    return [await settled(), await settledWith(streams), await settledWith(2 * streams)];
  } catch (error) {
    throw new Error(`${name} failed under idle streams: ${(error as Error).message}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await Promise.all([proxy.stop(), backends.stop()]);
  }
}

/** @returns the connection, once the first chunk of its stream has come */
function openStream(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const late = setTimeout(
    () => reject(new Error(`a stream did not begin within ${OPEN_WITHIN_MS / 1000} s`)),
    OPEN_WITHIN_MS,
  );
  const take = createMessageReader({
    head() {},
    body() {
      resolve(socket);
    },
    end() {
      reject(new Error('a stream ended at once'));
    },
  });
  const socket = openConnection(port, {
    text: take,
    closed() {
      reject(new Error('it closed a connection'));
    },
  });
  socket.write(chatRequest(true), 'latin1');
  return promise.finally(() => clearTimeout(late));
}
