/** What the answer takes for granted, in sentences: what always is, and what this record and this change add. */
import type { CoreConfig } from '../../actors/events.ts';
import type { RecordedRun } from '../../simulation/recording.ts';
import type { RunPlan } from '../../simulation/simulate.ts';
import type { Recording } from '../../simulation/what-if.ts';
import type { ChangedKey } from './config.ts';
import type { Exception } from './exceptions.ts';
import { grouped, listed } from './words.ts';

/** Keys whose values the core or the simulated world goes by. */
const FOLLOWED =
  /^(?:backends|health\.(?:fall|rise|initial|slowStartMs|intervalMs|timeoutMs)|pool\.|retry\.|outlier\.|upstream\.(?:connect|headers)TimeoutMs)/;

export type NoteParts = {
  readonly recording: Recording;
  readonly plans: ReadonlyMap<RecordedRun, RunPlan>;
  readonly changed: readonly ChangedKey[];
  readonly exceptions: readonly Exception[];
  readonly isFixed: boolean;
};

export function notesOn(parts: NoteParts): string[] {
  return [
    'Requests arrive as recorded, and clients that leave do so when they did. A client that would have waited for one ' +
      'answer before it asked again does not wait here, so a long line may be longer than it would have been.',
    'A backend takes as long as it took in the record, whatever its load: with more requests at a time it would ' +
      'have been slower than this says, with fewer faster.',
    ...notesOnBackends(parts),
    ...notesOnReloads(parts),
    ...notesOnTimings(parts),
    ...notesOnKeys(parts),
    ...notesOnRuns(parts.recording),
  ];
}

function notesOnBackends({ recording, plans }: NoteParts): string[] {
  const recorded = new Set<string>();
  const planned = new Set<string>();
  for (const run of recording.runs) {
    const plan = plans.get(run);
    for (const config of configsOf(run)) {
      for (const { id } of config.backends) recorded.add(id);
      for (const { id } of plan?.core(config).backends ?? []) planned.add(id);
    }
  }
  const added = [...planned].filter((id) => !recorded.has(id));
  if (added.length === 0) return [];
  return [
    `${listed(added)} ${added.length === 1 ? 'is' : 'are'} not in the record: the answers are drawn from those of all ` +
      'backends at that time, and the probes succeed.',
  ];
}

function notesOnReloads({ recording, isFixed }: NoteParts): string[] {
  const reloads = recording.runs.reduce((total, run) => total + configsOf(run).length - 1, 0);
  if (reloads === 0) return [];
  const what = reloads === 1 ? '1 recorded reload is' : `${grouped(reloads)} recorded reloads are`;
  return [
    isFixed
      ? `${what} left out: the given config holds from the start to the end.`
      : `${what} made as recorded, with the change on top.`,
  ];
}

function notesOnTimings({ recording, plans }: NoteParts): string[] {
  const [run] = recording.runs;
  const plan = run === undefined ? undefined : plans.get(run);
  if (plan === undefined) return [];
  const { before, after } = plan;
  const notes: string[] = [];
  if (before.probeIntervalMs !== after.probeIntervalMs) {
    notes.push(
      `Probes come every ${grouped(after.probeIntervalMs)} ms, each with the result that was recorded nearest to it.`,
    );
  }
  const late = countProbeTimeouts(recording);
  if (after.probeTimeoutMs > before.probeTimeoutMs && late > 0) {
    notes.push(
      `${grouped(late)} probes timed out in the record. They are taken to time out after ` +
        `${grouped(after.probeTimeoutMs)} ms too, since nothing says when they would have been answered; ` +
        'the backend may have done better than this says.',
    );
  }
  if (after.headersTimeoutMs > before.headersTimeoutMs || after.connectTimeoutMs > before.connectTimeoutMs) {
    notes.push(
      'What was given up at a timeout is given up at the longer one too: the record does not say how it would have gone on.',
    );
  }
  if (after.bufferBytes > before.bufferBytes) {
    notes.push(
      'Requests whose body streamed are sent once only, as recorded: their size is not in the record.',
    );
  }
  return notes;
}

function notesOnKeys({ changed, exceptions }: NoteParts): string[] {
  const excepted = new Set(exceptions.map(({ key }) => key));
  const idle = changed.filter(({ key }) => !FOLLOWED.test(key) && !excepted.has(key));
  return idle.length === 0 ? [] : [`No decision depends on ${listed(idle.map(({ key }) => key))}.`];
}

function notesOnRuns({ runs }: Recording): string[] {
  if (runs.length < 2) return [];
  return [
    `The record has ${runs.length} parts, one for each start of the gateway and each gap; each begins with the state ` +
      'that was recorded there.',
  ];
}

/** Every config that was in force, in order. */
function configsOf({ snapshot, outside }: RecordedRun): CoreConfig[] {
  const loaded = outside.flatMap(({ fact }) => ('config' in fact ? [fact.config] : []));
  return outside[0]?.fact.type === 'gateway.started' ? loaded : [snapshot.config, ...loaded];
}

function countProbeTimeouts({ runs }: Recording): number {
  const isTimeout = ({ fact }: RecordedRun['outside'][number]) =>
    fact.type === 'probe.failed' && fact.reason === 'timeout';
  return runs.reduce((total, { outside }) => total + outside.filter(isTimeout).length, 0);
}
