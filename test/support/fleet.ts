/** Several mocks at once, named and stopped together. */

import type { MockScript } from '../../mock/script.ts';
import { type Mock, startMock } from '../../mock/server.ts';

export type Fleet = AsyncDisposable & { readonly mocks: readonly Mock[] };

/** Starts mocks named a, b, c, ... */
export async function startFleet(count: number, script: Partial<MockScript> = {}): Promise<Fleet> {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  const mocks = await Promise.all(names.map((name) => startMock({ name, script })));
  return {
    mocks,
    async [Symbol.asyncDispose]() {
      await Promise.all(mocks.map((mock) => mock.close()));
    },
  };
}

/** The mocks as backends with these weights. */
export function weighted(mocks: readonly Mock[], weights: readonly number[]) {
  return mocks.map(({ name, port }, index) => ({ name, port, weight: weights[index] ?? 1 }));
}
