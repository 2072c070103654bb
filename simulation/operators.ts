/** The operators of a simulated world: they drain, restore and reload at any moment, with configs good and bad. */
import type { Subject } from 'rxjs';
import type { CoreConfig, Fact } from '../src/actors/events.ts';
import type { ReloadTrigger } from '../src/streams/config.ts';
import type { ReloadOutcome } from '../src/streams/ports.ts';
import { between, chance, drawFor, someOf, spread, waitFor } from './draw.ts';
import { backendId, drawConfig, type Scenario, type WorldSettings } from './scenario.ts';
import type { Timeline } from './timeline.ts';

export type OperatorsOptions = {
  readonly scenario: Scenario;
  readonly settings: WorldSettings;
  readonly timeline: Timeline;
  readonly control$: Subject<Fact>;
  readonly reloads$: Subject<ReloadTrigger>;
  readonly config: () => CoreConfig;
  readonly onBreach: (breach: string) => void;
};

export type Operators = {
  begin(): void;
  /** Does one thing now. */
  act(): void;
  calm(): void;
  /** What a reload reads. */
  load(): ReloadOutcome;
  restore(backend: string): void;
  reloadWith(config: CoreConfig): void;
};

export function createOperators(options: OperatorsOptions): Operators {
  const { scenario, settings, timeline, control$, reloads$, config, onBreach } = options;
  const { seed, faults, backends } = scenario;
  const draw = drawFor(seed, 'operators');
  const ids = Array.from({ length: backends }, (_, index) => backendId(index));
  let next: CoreConfig | undefined;
  let isCalm = false;

  const reload = (config: CoreConfig | undefined) => {
    next = config;
    let isDone = false;
    reloads$.next({
      done(outcome) {
        if (isDone || outcome.ok !== (config !== undefined)) onBreach('a reload was reported wrongly');
        isDone = true;
      },
    });
    if (!isDone) onBreach('a reload was not reported');
  };

  const pickId = () => backendId(between(draw, 0, backends - 1));
  /** Somebody soon notices that nothing is served any more. */
  const removeAll = () => {
    reload({ ...config(), backends: [] });
    timeline.after(spread(draw, 1, 30_000), () => {
      if (!isCalm) reload(drawConfig(draw, ids, false));
    });
  };
  const actions = [
    ...(faults.includes('drain')
      ? [
          () => control$.next({ type: 'operator.drained', backend: pickId() }),
          () => control$.next({ type: 'operator.restored', backend: pickId() }),
        ]
      : []),
    ...(faults.includes('reload')
      ? [() => reload(drawReload(draw, ids, config(), faults.includes('move')))]
      : []),
    ...(faults.includes('badReload') ? [() => reload(undefined)] : []),
    ...(faults.includes('removeAll') ? [removeAll] : []),
  ];

  const act = () => {
    if (!isCalm) actions[between(draw, 0, actions.length - 1)]?.();
  };
  // Some things are done in a hurry, one upon the other.
  const plan = () => {
    const waitMs = chance(draw, 0.2) ? between(draw, 0, 200) : waitFor(draw, settings.operatorEveryMs);
    timeline.after(waitMs, () => {
      act();
      if (!isCalm) plan();
    });
  };

  return {
    begin() {
      if (actions.length > 0) plan();
    },
    act,
    calm() {
      isCalm = true;
    },
    load: () => outcomeOf(next),
    restore: (backend) => control$.next({ type: 'operator.restored', backend }),
    reloadWith: reload,
  };
}

/** What reading a config comes to; undefined is one that is not valid. */
function outcomeOf(config: CoreConfig | undefined): ReloadOutcome {
  if (config !== undefined) return { ok: true, config, changed: [], needRestart: [] };
  return {
    ok: false,
    problems: [{ key: 'pool.size', value: '0', origin: 'simulation', expected: 'more' }],
  };
}

/** Another config: the same with some backends left out or back in, one thing changed, or all of it. */
function drawReload(
  draw: () => number,
  ids: readonly string[],
  now: CoreConfig,
  mayMove: boolean,
): CoreConfig {
  const other = drawConfig(draw, ids, mayMove);
  const staying = new Set(someOf(draw, ids, 0.8));
  const backends = other.backends.filter(({ id }) => staying.has(id));
  switch (between(draw, 0, 6)) {
    case 0:
      return { ...other, backends };
    case 1:
      return other;
    case 2:
      return { ...now, pool: other.pool };
    case 3:
      return { ...now, health: other.health };
    case 4:
      return { ...other, backends: now.backends };
    case 5:
      return { ...now, backends: now.backends.filter(({ id }) => staying.has(id)) };
    default:
      return { ...now, backends: other.backends };
  }
}
