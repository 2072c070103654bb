/** Three mock backends in this very process, so that a newcomer sees Reprise balance before owning a server. */
import { type Mock, startMock } from '../mock/server.ts';
import type { BackendConfig } from './io/config/schema.ts';

const WEIGHTS = [5, 1, 1];

export type Demo = { readonly backends: readonly BackendConfig[]; stop(): Promise<void> };

export async function startDemo(): Promise<Demo> {
  const mocks: Mock[] = [];
  const backends: BackendConfig[] = [];
  for (const [index, weight] of WEIGHTS.entries()) {
    const id = `mock-${index + 1}`;
    const mock = await startMock({ name: id, script: { tokenGapMs: 40 } });
    mocks.push(mock);
    backends.push({ id, protocol: 'http', host: mock.host, port: mock.port, weight });
  }
  return {
    backends,
    async stop() {
      await Promise.all(mocks.map((mock) => mock.close()));
    },
  };
}
