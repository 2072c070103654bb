/** Deliberate faults of sockets and the leases on them. */
import type { Mutation } from './mutation.ts';

export const LEASES: readonly Mutation[] = [
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
