/** The language of the core's tests: given a config and facts, when a fact comes, then these decisions. */
import assert from 'node:assert/strict';
import { type Balancer, createBalancer } from '../../src/actors/balancer.ts';
import type {
  BackendSettings,
  CoreConfig,
  Decision,
  Fact,
  OutlierSettings,
} from '../../src/actors/events.ts';
import { createAudit } from '../../src/actors/invariants.ts';

export function backend(id: string, weight = 1): BackendSettings {
  return { id, protocol: 'http', host: '127.0.0.1', port: 8000, weight };
}

const OUTLIER: OutlierSettings = {
  consecutiveFailures: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectedShare: 0.5,
};

export type ConfigChanges = {
  backends?: readonly BackendSettings[];
  health?: Partial<CoreConfig['health']>;
  pool?: Partial<Omit<CoreConfig['pool'], 'queue'>>;
  queue?: Partial<CoreConfig['pool']['queue']>;
  retry?: Partial<CoreConfig['retry']>;
  /** Nothing is ejected unless this is given. */
  outlier?: Partial<OutlierSettings>;
};

export function coreConfig(changes: ConfigChanges = {}): CoreConfig {
  return {
    backends: changes.backends ?? [backend('a', 5), backend('b'), backend('c')],
    health: { fall: 3, rise: 2, initial: 'healthy', ...changes.health },
    pool: {
      size: 10,
      idleTimeoutMs: 60_000,
      ...changes.pool,
      queue: { max: 1000, timeoutMs: 30_000, ...changes.queue },
    },
    retry: { attempts: 2, on: ['emptyResponse'], ...changes.retry },
    ...(changes.outlier === undefined ? {} : { outlier: { ...OUTLIER, ...changes.outlier } }),
  };
}

export type Scene = {
  readonly balancer: Balancer;
  /** Takes in facts, a millisecond apart; every invariant is checked after each. @returns all decisions */
  when(...facts: readonly Fact[]): Decision[];
  /** Lets time pass. */
  after(ms: number): Scene;
};

/** A core that has been started with this config. */
export function given(config: CoreConfig): Scene {
  const balancer = createBalancer();
  const audit = createAudit();
  let at = 1_000_000;
  const scene: Scene = {
    balancer,
    when(...facts) {
      return facts.flatMap((fact) => {
        at += 1;
        const decisions = balancer.step(fact, at);
        assert.deepEqual(audit.check(balancer.core, fact, decisions), []);
        return decisions;
      });
    },
    after(ms) {
      at += ms;
      return scene;
    },
  };
  scene.when({ type: 'gateway.started', version: 'test', config });
  return scene;
}

export function received(request: number, { replayable = true } = {}): Fact {
  return {
    type: 'request.received',
    request,
    requestId: `id-${request}`,
    method: 'POST',
    path: '/v1/chat/completions',
    bodyBytes: 10,
    replayable,
  };
}

export function started(request: number, lease: number, status = 200): Fact {
  return { type: 'response.started', request, lease, status };
}

/** The head of an answer of which the client has nothing yet. */
export function held(request: number, lease: number, status = 503, retryAfterMs?: number): Fact {
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { type: 'response.started', request, lease, status, held: true, ...asked };
}

export function ended(request: number, lease: number, reusable = true, status = 200): Fact {
  return { type: 'response.ended', request, lease, status, bytes: 10, chunks: 1, reusable };
}

export function failed(
  request: number,
  lease: number,
  changes: Partial<Extract<Fact, { type: 'response.failed' }>> = {},
): Fact {
  return {
    type: 'response.failed',
    request,
    lease,
    reason: 'reset',
    written: true,
    bytes: 0,
    chunks: 0,
    ...changes,
  };
}

export function probeFailed(id: string): Fact {
  return { type: 'probe.failed', backend: id, reason: 'refused', latencyMs: 1 };
}

export function probeSucceeded(id: string): Fact {
  return { type: 'probe.succeeded', backend: id, status: 200, latencyMs: 1 };
}

/** The decisions of one type, typed as such. */
export function only<Type extends Decision['type']>(
  decisions: readonly Decision[],
  type: Type,
): Extract<Decision, { type: Type }>[] {
  return decisions.filter(
    (decision): decision is Extract<Decision, { type: Type }> => decision.type === type,
  );
}

/** Serves one request from start to end, and says which backend took it. */
export function serveOne(scene: Scene, request: number, status = 200): string {
  const decisions = scene.when(received(request));
  const [selected] = only(decisions, 'backend.selected');
  assert.ok(selected, 'no backend was selected');
  const [requested] = only(decisions, 'socket.requested');
  if (requested !== undefined) {
    scene.when({ type: 'socket.opened', backend: requested.backend, socket: requested.socket });
  }
  const lease = requested?.lease ?? only(decisions, 'lease.granted')[0]?.lease ?? 0;
  scene.when(started(request, lease, status), ended(request, lease, true, status));
  return selected.backend;
}
