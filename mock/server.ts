/**
 * A scripted OpenAI-compatible server, in process: started in a line, commanded while it runs, and awaited event by
 * event. It stands in for vLLM, llama.cpp and the like, above all for their failures.
 */
import { createServer } from 'node:http';
import { createHandler } from './handler.ts';
import { createListener, type Listener } from './listener.ts';
import { createPlanner, type Planner } from './plan.ts';
import { type Counters, createRecorder, type RecordedRequest, type Recorder } from './recorder.ts';
import type { Model } from './routes.ts';
import { checkScript, DEFAULT_SCRIPT, type MockScript } from './script.ts';
import { createSlots, type Slots } from './slots.ts';
import { createTokenSource } from './tokens.ts';

export type MockOptions = {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly host?: string;
  /** Stands in every answer and its `X-Mock` header, so printable ASCII; `mock-<port>` unless given. */
  readonly name?: string;
  readonly script?: Partial<MockScript>;
  /** How many of the last requests are kept. */
  readonly keepRequests?: number;
  /** How much of each request's body is kept. */
  readonly keepBodyBytes?: number;
};

export type Mock = AsyncDisposable & {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `http://host:port` */
  readonly url: string;

  /** The script as it stands. */
  readonly script: MockScript;
  /** Changes the script for requests from now on; throws a TypeError that lists all that is wrong with it. */
  set(changes: Partial<MockScript>): void;

  /** The last requests, oldest first, without health and control calls. */
  readonly requests: readonly RecordedRequest[];
  readonly counters: Counters;
  readonly connections: { readonly open: number; readonly opened: number };
  readonly slots: { readonly busy: number; readonly waiting: number };
  readonly listening: boolean;

  /** Resolves when the nth request (1 is the first) has arrived, headers and body. Rejects after 5 s, as all waits do. */
  received(number: number): Promise<RecordedRequest>;
  /** Resolves when the nth request was left by its peer before its answer was complete. */
  aborted(number: number): Promise<RecordedRequest>;
  /** Resolves when the nth request was answered in full. */
  completed(number: number): Promise<RecordedRequest>;
  /** Resolves when `condition` holds; it is tried after each event of this mock (request, end, socket, probe). */
  until(condition: () => boolean, timeoutMs?: number): Promise<void>;

  /** Refuses new connections; open ones live on. */
  stopListening(): Promise<void>;
  /** Listens again on the same port, after `stopListening` or `close`; rejects when the port is taken. */
  listen(): Promise<void>;
  /** Stops listening and closes every socket at once, as a killed process does. */
  close(): Promise<void>;
};

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_KEEP_REQUESTS = 1000;
const DEFAULT_KEEP_BODY_BYTES = 16 * 1024;

/**
 * Starts a mock and resolves when it listens. Rejects with the system's error when the port is taken, and with a
 * TypeError when the name or the script is wrong.
 *
 * @example
 * await using mock = await startMock({ name: 'mock-1', script: { tokenCount: 5 } });
 * mock.set({ nextFaults: ['reset'] });
 */
export async function startMock(options: MockOptions = {}): Promise<Mock> {
  if (options.name !== undefined && !/^[\x21-\x7e][\x20-\x7e]*$/.test(options.name)) {
    throw new TypeError(`the mock's name must be printable ASCII, is '${options.name}'`);
  }
  const recorder = createRecorder({
    keepRequests: options.keepRequests ?? DEFAULT_KEEP_REQUESTS,
    keepBodyBytes: options.keepBodyBytes ?? DEFAULT_KEEP_BODY_BYTES,
  });
  const listener = createListener({
    host: options.host ?? DEFAULT_HOST,
    port: options.port ?? 0,
    onSocket: (socket) => http.emit('connection', socket),
    onChange: recorder.changed,
  });
  const slots = createSlots(0);
  const planner = createPlanner(DEFAULT_SCRIPT);

  function set(changes: Partial<MockScript>): void {
    const check = checkScript(changes);
    if (!check.ok) throw new TypeError(`the mock's script is wrong: ${check.problems.join('; ')}`);
    planner.set(check.changes);
    slots.resize(planner.script.slots);
    http.keepAliveTimeout = planner.script.keepAliveTimeoutMs;
    if (check.changes.refuseForMs !== undefined) listener.stopFor(check.changes.refuseForMs);
  }

  await listener.listen();
  // The rest is set up in the turn in which the port is bound, and so before the first socket; the port names the mock.
  const name = options.name ?? `mock-${listener.port}`;
  const mock = createHandle({
    name,
    host: options.host ?? DEFAULT_HOST,
    planner,
    recorder,
    listener,
    slots,
    set,
  });
  const model: Model = { slots, tokens: createTokenSource(name) };
  const handler = createHandler({
    name,
    planner,
    recorder,
    model,
    commands: { set, state: () => stateOf(mock) },
  });
  // Node closes an idle socket a second later than it was told unless the buffer is 0.
  const http = createServer({ keepAliveTimeoutBuffer: 0 }, handler);
  try {
    set({ keepAliveTimeoutMs: DEFAULT_SCRIPT.keepAliveTimeoutMs, ...options.script });
  } catch (error) {
    listener.stop();
    throw error;
  }
  return mock;
}

type Parts = {
  readonly name: string;
  readonly host: string;
  readonly planner: Planner;
  readonly recorder: Recorder;
  readonly listener: Listener;
  readonly slots: Slots;
  readonly set: Mock['set'];
};

function createHandle(parts: Parts): Mock {
  const { name, host, planner, recorder, listener, slots, set } = parts;

  async function record(number: number, state: string, condition: (found: RecordedRequest) => boolean) {
    let found: RecordedRequest | undefined;
    const holds = () => {
      // Looked up once and held, since later requests may push it out of the kept ones.
      found ??= recorder.find(number);
      return found !== undefined && condition(found);
    };
    await recorder.until(holds, undefined, `request ${number} to be ${state}`);
    if (!found) throw new Error(`${name}: request ${number} is no longer kept`);
    return found;
  }

  async function close(): Promise<void> {
    listener.stop();
    listener.destroySockets();
    await recorder.until(() => listener.open === 0);
  }

  return {
    name,
    host,
    get port() {
      return listener.port;
    },
    get url() {
      return `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
    },
    get script() {
      return planner.script;
    },
    set,
    requests: recorder.requests,
    counters: recorder.counters,
    connections: {
      get open() {
        return listener.open;
      },
      get opened() {
        return listener.opened;
      },
    },
    slots,
    get listening() {
      return listener.listening;
    },
    received: (number) => record(number, 'received', (found) => found.received),
    aborted: (number) => record(number, 'aborted', (found) => found.outcome === 'aborted'),
    completed: (number) => record(number, 'completed', (found) => found.outcome === 'completed'),
    until: recorder.until,
    stopListening: async () => listener.stop(),
    listen: listener.listen,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A JSON-safe picture of a mock, for `GET /mock`. */
function stateOf(mock: Mock): object {
  const { name, script, counters, connections, slots } = mock;
  return { name, script, counters, connections, slots };
}
