/** Makes trouble at random: backends are killed, frozen, cut off, drained, taken in and out, and the config is reloaded. */
import type { BackendProcess } from './backend-process.ts';
import type { Calm } from './calm.ts';
import type { DaemonProcess } from './daemon-process.ts';
import type { Fleet } from './fleet.ts';
import { settingsFor } from './settings.ts';

export type Trouble = (draw: Draw) => Promise<void>;

export type Troubles = {
  /** How often each kind was made. */
  readonly made: ReadonlyMap<string, number>;
  /** Makes trouble until it is calm; resolves when all of it is over. */
  run(): Promise<void>;
};

export type TroubleOptions = {
  readonly daemon: DaemonProcess;
  readonly fleet: Fleet;
  readonly calm: Calm;
  readonly random: () => number;
  readonly streams: number;
  /** More kinds, by name, each with how likely it is, where the others are 1 to 6. */
  readonly more?: ReadonlyMap<string, readonly [number, Trouble]>;
};

/** Draws for one trouble. */
export type Draw = {
  between(least: number, most: number): number;
  /** A backend that no other trouble is about, until `done`; undefined if there is none. */
  victim(): BackendProcess | undefined;
  done(victim: BackendProcess): void;
};

const MOST_PAUSE_MS = 1_200;

export function createTroubles(options: TroubleOptions): Troubles {
  const { calm, random, fleet } = options;
  const made = new Map<string, number>();
  const busy = new Set<BackendProcess>();
  const kinds = [...kindsOf(options), ...(options.more ?? [])];
  const total = kinds.reduce((sum, [, [share]]) => sum + share, 0);
  const draw: Draw = {
    between: (least, most) => least + random() * (most - least),
    victim() {
      const free = fleet.others.filter((backend) => !busy.has(backend));
      const victim = free[Math.floor(random() * free.length)];
      if (victim !== undefined) busy.add(victim);
      return victim;
    },
    done: (victim) => void busy.delete(victim),
  };
  const choose = () => {
    let left = random() * total;
    return kinds.find(([, [share]]) => {
      left -= share;
      return left < 0;
    });
  };
  return {
    made,
    async run() {
      const under = new Set<Promise<void>>();
      while (!calm.isCalm) {
        await calm.pass(random() * MOST_PAUSE_MS);
        const chosen = choose();
        if (calm.isCalm || chosen === undefined) continue;
        const [name, [, trouble]] = chosen;
        made.set(name, (made.get(name) ?? 0) + 1);
        const one = trouble(draw).finally(() => under.delete(one));
        under.add(one);
        // Looked at when it is calm; an error before that must not end the process as unhandled.
        one.catch(() => undefined);
      }
      await Promise.all(under);
    },
  };
}

function kindsOf(options: TroubleOptions): [string, readonly [number, Trouble]][] {
  const { daemon, fleet, calm, streams } = options;
  const { weights } = fleet;
  const apply = () => daemon.configure(settingsFor(fleet.backends(), streams));
  const toOne =
    (act: (victim: BackendProcess, draw: Draw) => Promise<void>): Trouble =>
    async (draw) => {
      const victim = draw.victim();
      if (victim === undefined) return;
      await act(victim, draw).finally(() => draw.done(victim));
    };
  return [
    ['kill', [4, toOne((victim, draw) => victim.kill(draw.between(0, 4_000)))]],
    ['freeze', [4, toOne((victim, draw) => victim.freeze(draw.between(100, 7_000)))]],
    ['reset', [4, toOne(async (victim, draw) => victim.cut('reset', draw.between(0.1, 1)))]],
    ['close', [3, toOne(async (victim, draw) => victim.cut('close', draw.between(0.1, 1)))]],
    ['ill', [1, toOne((victim, draw) => victim.lookIll(draw.between(500, 3_000)))]],
    ['drain', [3, toOne((victim, draw) => drainFor(daemon, victim, calm, draw.between(200, 4_000)))]],
    [
      'weights',
      [
        3,
        async (draw) => {
          for (const name of weights.keys()) weights.set(name, Math.ceil(draw.between(0, 10)));
          apply();
          daemon.hangUp();
        },
      ],
    ],
    [
      'remove',
      [
        2,
        toOne(async ({ name }, draw) => {
          const before = weights.get(name);
          if (before === undefined) weights.set(name, Math.ceil(draw.between(0, 5)));
          else weights.delete(name);
          apply();
          daemon.hangUp();
        }),
      ],
    ],
    [
      'bad config',
      [
        1,
        async () => {
          daemon.configure({ backends: [{ host: 'nobody', port: 0 }] });
          daemon.hangUp();
          await calm.pass(200);
          apply();
        },
      ],
    ],
  ];
}

async function drainFor(
  daemon: DaemonProcess,
  { name }: BackendProcess,
  calm: Calm,
  ms: number,
): Promise<void> {
  // The gateway itself may be down in some runs, and then there is nobody to ask.
  await daemon.drain(name).catch(() => undefined);
  await calm.pass(ms);
  await daemon.restore(name).catch(() => undefined);
}
