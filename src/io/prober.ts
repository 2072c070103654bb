/** Asks a backend for its health: one GET over a connection of its own, which a busy pool cannot delay. */
import type { SecureContext } from 'node:tls';
import { Client } from 'undici';
import type { ProbePort, ProbeResult } from '../streams/ports.ts';
import { classifyFailure } from './failures.ts';
import { originOf } from './origin.ts';

export type ProbeSettings = { readonly path: string; readonly timeoutMs: number };

/** A backend that answers 2xx, and all of its answer within the timeout, is well; anything else is not. */
export function createProber(
  settings: () => ProbeSettings,
  secureContext: () => SecureContext | undefined,
): ProbePort {
  return {
    async probe(backend, unwanted): Promise<ProbeResult> {
      const { path, timeoutMs } = settings();
      const begun = performance.now();
      const latencyMs = () => Math.round(performance.now() - begun);
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([timeout, unwanted]);
      let client: Client | undefined;
      try {
        const connect = { timeout: timeoutMs, allowH2: false, secureContext: secureContext() };
        client = new Client(originOf(backend), { connect });
        const answer = await client.request({ method: 'GET', path, signal, reset: true });
        for await (const _ of answer.body) signal.throwIfAborted();
        const status = answer.statusCode;
        if (status >= 200 && status < 300) return { ok: true, status, latencyMs: latencyMs() };
        return { ok: false, reason: `status ${status}`, latencyMs: latencyMs() };
      } catch (error) {
        const reason = timeout.aborted ? 'timeout' : classifyFailure(error);
        return { ok: false, reason, latencyMs: latencyMs() };
      } finally {
        void client?.destroy();
      }
    },
  };
}
