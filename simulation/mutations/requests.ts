/** Deliberate faults of requests, their line and their retries. */
import type { Mutation } from './mutation.ts';

export const REQUESTS: readonly Mutation[] = [
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
