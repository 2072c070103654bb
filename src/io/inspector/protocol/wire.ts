/**
 * The wire format of `@statelyai/inspect`: one JSON object in each text message, of three kinds. Declared here since the
 * package itself is heavy and only needed by those who read; a test holds the two against each other.
 */

/** The version of `@statelyai/inspect` whose format this is; its readers know a message by having one. */
const WIRE_VERSION = '0.7.2';

/** Plain data, as JSON has it. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** An event as it is shown: its type and what else may be seen of it. */
export type WireEvent = { readonly type: string; readonly [key: string]: Plain };

/** The state of an actor as it is shown. `value` is there for machines only. */
export type WireSnapshot = {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value?: string;
  readonly context: { readonly [key: string]: Plain };
  /** What tools read besides; our machines have none of it. */
  readonly tags?: readonly string[];
  readonly children?: { readonly [key: string]: Plain };
  readonly historyValue?: { readonly [key: string]: Plain };
};

/** Who an actor is: `definition` is its machine's config as JSON. */
export type WireActor = {
  readonly sessionId: string;
  readonly name: string;
  readonly definition: string;
  readonly snapshot: WireSnapshot;
};

/** Makes the texts that are sent. `at` is in milliseconds since the epoch. */
export type WireWriter = {
  actor(actor: WireActor, at: number): string;
  event(sessionId: string, event: WireEvent, at: number): string;
  snapshot(sessionId: string, snapshot: WireSnapshot, event: WireEvent, at: number): string;
};

/** Messages of one writer carry ids of their own, counting up. */
export function createWireWriter(): WireWriter {
  let lastId = 0;
  const write = (sessionId: string, at: number, message: object) => {
    lastId += 1;
    // Every actor here is the root of a system of its own.
    const envelope = { sessionId, rootId: sessionId, createdAt: String(at), id: String(lastId) };
    return JSON.stringify({ ...message, ...envelope, _version: WIRE_VERSION });
  };
  return {
    actor: ({ sessionId, ...actor }, at) => write(sessionId, at, { type: '@xstate.actor', ...actor }),
    event: (sessionId, event, at) => write(sessionId, at, { type: '@xstate.event', event }),
    snapshot: (sessionId, snapshot, event, at) =>
      write(sessionId, at, { type: '@xstate.snapshot', snapshot, event }),
  };
}
