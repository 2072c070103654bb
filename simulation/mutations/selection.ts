/** Deliberate faults of the selector. */
import type { Mutation } from './mutation.ts';

export const SELECTION: readonly Mutation[] = [
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
