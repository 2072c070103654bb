/**
 * Remembers the health of backends: it counts probe results by itself and tells when the thresholds are reached, and what
 * an operator has drained stays so.
 */
import { type Core, statusOfBackend } from '../core.ts';
import type { BackendSettings, BackendStatus, CoreConfig, Decision, Fact } from '../events.ts';
import type { Memory } from './rule.ts';

type Record = { address: string; failures: number; successes: number };

export function createHealthMemory(): Memory {
  const records = new Map<string, Record>();
  const drained = new Set<string>();

  const configure = ({ backends }: CoreConfig) => {
    for (const settings of backends) {
      const address = addressOf(settings);
      if (records.get(settings.id)?.address !== address)
        records.set(settings.id, { address, failures: 0, successes: 0 });
    }
    const ids = new Set(backends.map(({ id }) => id));
    // What an operator wanted of a backend ends with its place in the config.
    for (const id of drained) if (!ids.has(id)) drained.delete(id);
  };

  const judge = (
    core: Core,
    fact: Extract<Fact, { type: 'probe.succeeded' | 'probe.failed' }>,
    decisions: readonly Decision[],
    breaches: string[],
  ) => {
    const { backend } = fact;
    const record = records.get(backend);
    const now = statusOfBackend(core, backend);
    if (record === undefined || now === undefined) return;
    const { fall, rise } = core.config.health;
    record.failures = fact.type === 'probe.failed' ? record.failures + 1 : 0;
    record.successes = fact.type === 'probe.failed' ? 0 : record.successes + 1;
    const change = changeOf(backend, decisions);
    const before = change?.from ?? now;
    const wasPassing = before === 'healthy' || before === 'ejected';
    const shouldFall = wasPassing && record.failures >= fall;
    const shouldRise = before === 'unhealthy' && record.successes >= rise;
    if (shouldFall !== (wasPassing && change?.to === 'unhealthy'))
      breaches.push(`${backend} was ${before} and is ${now} after ${record.failures} of ${fall} failures`);
    if (shouldRise !== (before === 'unhealthy' && change?.to === 'healthy'))
      breaches.push(`${backend} was ${before} and is ${now} after ${record.successes} of ${rise} successes`);
  };

  return {
    follow(core, fact, decisions, breaches) {
      if ('config' in fact) configure(fact.config);
      if (fact.type === 'operator.restored') drained.delete(fact.backend);
      if (fact.type === 'operator.drained' && isConfigured(core, fact.backend)) drained.add(fact.backend);
      if (fact.type === 'probe.succeeded' || fact.type === 'probe.failed')
        judge(core, fact, decisions, breaches);
      for (const decision of decisions)
        if (decision.type === 'backend.changed' && decision.to === 'removed')
          records.delete(decision.backend);
      for (const id of drained) {
        const status = statusOfBackend(core, id);
        if (status !== 'draining' && status !== 'drained')
          breaches.push(`${id} was drained by an operator and is ${status}`);
      }
    },
  };
}

function addressOf({ protocol, host, port }: BackendSettings): string {
  return `${protocol}://${host}:${port}`;
}

function isConfigured(core: Core, backend: string): boolean {
  return core.config.backends.some(({ id }) => id === backend);
}

/** The first change of a backend in a step. */
function changeOf(
  backend: string,
  decisions: readonly Decision[],
): { readonly from: BackendStatus; readonly to: BackendStatus } | undefined {
  for (const decision of decisions)
    if (decision.type === 'backend.changed' && decision.backend === backend) return decision;
  return undefined;
}
