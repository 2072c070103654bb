/**
 * Deliberate faults: each is put into a copy of the product by itself, to see whether the simulator finds it. The text
 * before must stand exactly once in its file, so that a mutant cannot quietly become none.
 */
export type Mutation = {
  readonly name: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
};

const LEASES: readonly Mutation[] = [
  {
    name: 'a lease is not released when its client leaves',
    file: 'src/actors/answers.ts',
    before: "  endLease(core, request, opened ? 'aborted' : 'unopened', 'aborted');\n",
    after: '',
  },
  {
    name: 'a lease can be released twice',
    file: 'src/actors/pool.ts',
    before: '  state.leases.delete(lease);\n',
    after: '',
  },
  {
    name: 'the count of leases is not lowered when one fails',
    file: 'src/actors/pool.ts',
    before: '  pool.leased -= 1;\n',
    after: "  if (event.outcome !== 'failed') pool.leased -= 1;\n",
  },
  {
    name: 'a pool takes one lease more than it may',
    file: 'src/actors/pool.ts',
    before: 'return pool.leased < pool.limit;',
    after: 'return pool.leased <= pool.limit;',
  },
  {
    name: 'a socket is kept though its answer broke off',
    file: 'src/actors/answers.ts',
    before: "endLease(core, request, 'failed', 'unusable');",
    after: "endLease(core, request, 'failed');",
  },
  {
    name: 'that a socket on lease has closed is not noted',
    file: 'src/actors/pool.ts',
    before: '    entry.closed = true;\n',
    after: '',
  },
  {
    name: 'maxLifetimeMs is ignored',
    file: 'src/actors/lifetime.ts',
    before: 'return maxLifetimeMs > 0 && openedAt',
    after: 'return false && openedAt',
  },
  {
    name: 'a sweep leaves idle sockets twice as long',
    file: 'src/actors/pool.ts',
    before: 'since + idleTimeoutMs > at',
    after: 'since + 2 * idleTimeoutMs > at',
  },
  {
    name: 'a smaller pool keeps its idle sockets',
    file: 'src/actors/pool.ts',
    before: "if (excess > 0) evictIdle(state, backend, pool, 'resized', excess);",
    after: '',
  },
  {
    name: 'a backend that falls keeps its idle sockets',
    file: 'src/actors/fleet.ts',
    before: "if (to === 'unhealthy' || to === 'ejected') {",
    after: "if (to === 'ejected') {",
  },
  {
    name: 'an evicted socket is not closed',
    file: 'src/streams/decisions.ts',
    before: '      ports.sockets.evict(decision.socket);\n',
    after: '',
  },
];

const SELECTION: readonly Mutation[] = [
  {
    name: 'SWRR runs over all backends instead of the healthy ones',
    file: 'src/actors/selector.ts',
    before: 'return peer.healthy && peer.hasRoom &&',
    after: 'return peer.hasRoom &&',
  },
  {
    name: 'SWRR runs over full backends too',
    file: 'src/actors/selector.ts',
    before: 'return peer.healthy && peer.hasRoom &&',
    after: 'return peer.healthy &&',
  },
  {
    name: 'SWRR picks the least current weight',
    file: 'src/actors/swrr.ts',
    before: 'peer.currentWeight > best.currentWeight',
    after: 'peer.currentWeight < best.currentWeight',
  },
  {
    name: 'SWRR lowers the one it picks by its own weight',
    file: 'src/actors/swrr.ts',
    before: 'best.currentWeight -= total;',
    after: 'best.currentWeight -= best.effectiveWeight;',
  },
  {
    name: 'SWRR counts each weight above 1 as one less',
    file: 'src/actors/swrr.ts',
    before: '    peer.currentWeight += peer.effectiveWeight;\n    total += peer.effectiveWeight;',
    after:
      '    const weight = peer.effectiveWeight > 1 ? peer.effectiveWeight - 1 : peer.effectiveWeight;\n    peer.currentWeight += weight;\n    total += weight;',
  },
  {
    name: 'ties in SWRR are decided by what no fact tells',
    file: 'src/actors/swrr.ts',
    before: 'peer.currentWeight > best.currentWeight',
    after: 'peer.currentWeight > best.currentWeight - (process.hrtime()[1] % 97 === 0 ? 1 : 0)',
  },
  {
    name: 'a backend that asked to be left alone is not',
    file: 'src/actors/selector.ts',
    before: 'return at >= peer.pausedUntil && isEligible(peer, exclude);',
    after: 'return isEligible(peer, exclude);',
  },
  {
    name: 'a backend is left alone for as long as it asks',
    file: 'src/actors/answers.ts',
    before: 'core.at + Math.min(retryAfterMs, outlier.maxEjectionMs)',
    after: 'core.at + retryAfterMs',
  },
  {
    name: 'slow start never ends',
    file: 'src/actors/ramp.ts',
    before: '    if (sixteenths === WHOLE) core.ramps.delete(backend);\n',
    after: '',
  },
  {
    name: 'in slow start a small pool has no room at all',
    file: 'src/actors/ramp.ts',
    before: 'Math.max(1, Math.floor((pool.size * sixteenths) / WHOLE))',
    after: 'Math.floor((pool.size * sixteenths) / WHOLE)',
  },
];

const HEALTH: readonly Mutation[] = [
  {
    name: 'a success does not set the failures to zero',
    file: 'src/actors/backend.ts',
    before: 'const consecutiveFailures = ok ? 0 :',
    after: 'const consecutiveFailures = ok ? context.consecutiveFailures :',
  },
  {
    name: 'off by one in fall',
    file: 'src/actors/backend.ts',
    before: 'consecutiveFailures < context.fall',
    after: 'consecutiveFailures <= context.fall',
  },
  {
    name: 'off by one in rise',
    file: 'src/actors/backend.ts',
    before: 'consecutiveSuccesses >= context.rise',
    after: 'consecutiveSuccesses > context.rise',
  },
  {
    name: 'a reload restores what an operator drained',
    file: 'src/actors/fleet.ts',
    before: 'if (known.actor.getSnapshot().context.removed) {',
    after: 'if (known.actor.getSnapshot().context.removed !== undefined) {',
  },
  {
    name: 'a backend that is gone from the config goes on',
    file: 'src/actors/fleet.ts',
    before: "    tellBackend(core, id, { type: 'config.removed' });\n",
    after: '',
  },
  {
    name: 'draining does not end with the last lease',
    file: 'src/actors/answers.ts',
    before: '  noteIfEmpty(core, backend);\n',
    after: '',
  },
  {
    name: 'an ejection never ends',
    file: 'src/actors/balancer.ts',
    before: "      tellBackend(core, fact.backend, { type: 'ejection.expired', at: core.at });\n",
    after: '',
  },
  {
    name: 'more are ejected than may be',
    file: 'src/actors/outlier.ts',
    before: 'isAnotherHealthy && ejected(core).length < mostEjected(core)',
    after: 'isAnotherHealthy',
  },
  {
    name: 'the ejected are not taken back when nobody else is healthy',
    file: 'src/actors/balancer.ts',
    before: "      if (core.news === 'healthChanged') liftIfNoneIsHealthy(core);\n",
    after: '',
  },
  {
    name: 'a backend that has left the config is still probed',
    file: 'src/streams/probes.ts',
    before: '        beat.unsubscribe();\n        beats.delete(address);',
    after: '        beats.delete(address);',
  },
];

const REQUESTS: readonly Mutation[] = [
  {
    name: 'the queue timeout is not cleared when its request is served',
    file: 'src/streams/timers.ts',
    before: "if (decision.type === 'backend.selected' || decision.type === 'request.rejected') {",
    after: "if (decision.type === 'request.rejected') {",
  },
  {
    name: 'the queue timeout is ignored',
    file: 'src/actors/dispatch.ts',
    before: "if (request?.phase === 'waiting') reject(core, request, 'queue_timeout');",
    after: '',
  },
  {
    name: 'last come, first served',
    file: 'src/actors/line.ts',
    before: 'waiting.splice(index + 1, 0, request);',
    after: 'waiting.unshift(request);\n  void index;',
  },
  {
    name: 'the line takes one more than it may',
    file: 'src/actors/dispatch.ts',
    before: 'poolOf(core).waiting.length >= max &&',
    after: 'poolOf(core).waiting.length > max &&',
  },
  {
    name: 'room that becomes free is not given to those who wait',
    file: 'src/actors/core.ts',
    before: "  if (hasRoom(pool) && core.news === 'none') core.news = 'roomFreed';\n",
    after: '',
  },
  {
    name: 'those who wait do not hear that a backend fell or came back',
    file: 'src/actors/fleet.ts',
    before:
      "    tellSelector(core, { type: 'healthChanged', backend: id, healthy: to === 'healthy' });\n    core.news = 'healthChanged';\n",
    after: "    tellSelector(core, { type: 'healthChanged', backend: id, healthy: to === 'healthy' });\n",
  },
  {
    name: 'a request is sent again after its first byte',
    file: 'src/actors/answers.ts',
    before: '  if (answering) finish(core, request);\n  else retryOrReject',
    after: '  retryOrReject',
  },
  {
    name: 'retries are not limited',
    file: 'src/actors/retry.ts',
    before: '  if (request.attempts >= core.config.retry.attempts) return false;\n',
    after: '',
  },
  {
    name: 'the retry budget is not counted',
    file: 'src/actors/retry-budget.ts',
    before: "  budget.retries[index] = present(budget.retries[index], 'a step') + 1;\n",
    after: '',
  },
  {
    name: 'after a stale socket another kept one is taken',
    file: 'src/actors/retry.ts',
    before: 'if (stale) request.fresh = true;',
    after: 'if (stale) request.fresh = false;',
  },
  {
    name: 'a held answer is never decided on',
    file: 'src/actors/answers.ts',
    before: 'if (fact.held === true) decideHeld(core, request, entry, fact.status);\n  else request',
    after: 'if (fact.held !== true) request',
  },
];

export const MUTATIONS: readonly Mutation[] = [...LEASES, ...SELECTION, ...HEALTH, ...REQUESTS];
