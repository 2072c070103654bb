/** What the tests of the streams have in common: entries as the core would make them, and time that is told to pass. */
import type { TestContext } from 'node:test';
import type { BackendSettings, Decision, Entry, Fact } from '../../src/actors/events.ts';
import type { Exchange, Grant, Rejection } from '../../src/streams/ports.ts';
import { coreConfig } from '../support/core.ts';

/** An entry; its number plays no part here. */
export function entryOf(fact: Fact, decisions: readonly Decision[] = [], at = 0): Entry {
  return { v: 1, seq: 1, at, fact, decisions };
}

export function startedWith(backends: readonly BackendSettings[]): Entry {
  return entryOf({ type: 'gateway.started', version: 'test', config: coreConfig({ backends }) });
}

export function reloadedWith(backends: readonly BackendSettings[]): Entry {
  return entryOf({ type: 'config.reloaded', config: coreConfig({ backends }) });
}

/** For a core that is not expected to fail. */
export function raise(error: unknown): never {
  throw error;
}

/** Stops the clock of RxJS and of `Date` at 0 until the test has ended. */
export function stopClock(t: TestContext): { pass(ms: number): Promise<void> } {
  const { timers } = t.mock;
  timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'] });
  return {
    /** Lets time pass, and promises that are settled by then be heard. */
    async pass(ms) {
      timers.tick(ms);
      await heard();
    },
  };
}

/** Resolves when everything that waited for a settled promise has run. */
export function heard(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** An exchange that notes what it is told. */
export function notingExchange(): Exchange & { readonly told: (Grant | Rejection)[] } {
  const told: (Grant | Rejection)[] = [];
  const note = (word: Grant | Rejection) => void told.push(word);
  return { told, granted: note, rejected: note, passed: () => {}, discarded: () => {} };
}
