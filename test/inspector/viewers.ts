/** Viewers of the inspector: the official receiver, one of `ws` that can leave, and who is observing the core. */

import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import WebSocket from 'ws';
import type { Core } from '../../src/actors/core.ts';
import { PATIENCE_MS } from '../support/patience.ts';

export type Watching = {
  readonly messages: readonly StatelyInspectionEvent[];
  /** Resolves with the first message, past or to come, that fits; rejects if none comes. */
  message(fits: (message: StatelyInspectionEvent) => boolean): Promise<StatelyInspectionEvent>;
};

/** Watches with the official receiver, which has no way to end: it goes when the gateway does. */
export function watchOfficially(server: string): Watching {
  const messages: StatelyInspectionEvent[] = [];
  const waiting = new Set<() => void>();
  createWebSocketReceiver({ server }).subscribe((message) => {
    messages.push(message);
    for (const look of [...waiting]) look();
  });
  return {
    messages,
    message: (fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`waited in vain for a message; the last were ${JSON.stringify(messages.slice(-3))}`),
          );
        }, PATIENCE_MS);
        const look = () => {
          const found = messages.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Such as `@xstate.snapshot backend:a healthy`. */
export function inWords(message: StatelyInspectionEvent): string {
  const { type, sessionId } = message;
  if (type === '@xstate.event') return `${type} ${sessionId} ${message.event.type}`;
  const { snapshot } = message;
  return 'value' in snapshot ? `${type} ${sessionId} ${snapshot.value}` : `${type} ${sessionId}`;
}

/** A viewer that has been told something, so it is one. */
export async function joinAs(url: string, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers });
  await once(socket, 'message');
  return socket;
}

/** Where viewers of this gateway connect. */
export function inspectorUrl({ gateway }: { readonly gateway: { readonly adminPort: number } }): string {
  return `ws://127.0.0.1:${gateway.adminPort}/inspector/ws`;
}

export type Observers = {
  readonly active: number;
  /** Resolves when there is none any more. */
  none(): Promise<void>;
};

/** Counts who observes the actors that are in this core now, from now on. */
export function countObservers(t: TestContext, core: Core): Observers {
  let active = 0;
  const waiting = new Set<() => void>();
  const backends = [...core.backends.values()].map(({ actor }) => actor.system);
  for (const system of [core.selector.system, core.pool.system, ...backends]) {
    const inspect = system.inspect;
    t.mock.method(system, 'inspect', (observer: Parameters<typeof inspect>[0]) => {
      const subscription = inspect(observer);
      active += 1;
      return {
        unsubscribe() {
          subscription.unsubscribe();
          active -= 1;
          if (active === 0) for (const wake of waiting) wake();
        },
      };
    });
  }
  return {
    get active() {
      return active;
    },
    none: () => (active === 0 ? Promise.resolve() : new Promise((done) => waiting.add(done))),
  };
}
