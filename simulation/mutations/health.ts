/** Deliberate faults of the states of backends. */
import type { Mutation } from './mutation.ts';

export const HEALTH: readonly Mutation[] = [
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
