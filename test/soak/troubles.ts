/** Makes trouble at random: backends are killed, frozen, cut off, drained, taken in and out, and the config is reloaded. */
import type { BackendProcess } from './backend-process.ts';
import type { Calm } from './calm.ts';
import type { DaemonProcess } from './daemon-process.ts';
import type { Fleet } from './fleet.ts';
import { settingsFor } from './settings.ts';
import type { Turns } from './turns.ts';

type Trouble = (draw: Draw) => Promise<void>;

/** A name, how likely it is compared with the others, and what it does. */
export type KindOfTrouble = readonly [string, number, Trouble];

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
  /** For what must not meet the gateway at its start. */
  readonly turns: Turns;
  /** More kinds beside those that are about backends. */
  readonly more: readonly KindOfTrouble[];
};

/** Draws for one trouble. */
type Draw = {
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
  const kinds = [...kindsOf(options), ...options.more];
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
  let deck: KindOfTrouble[] = [];
  /** As from a deck of cards, each kind as often in it as it is likely, so that none is left out for long. */
  const choose = () => {
    if (deck.length === 0) deck = kinds.flatMap((kind) => Array.from({ length: kind[1] }, () => kind));
    return deck.splice(Math.floor(random() * deck.length), 1)[0];
  };
  return {
    made,
    async run() {
      const under = new Set<Promise<void>>();
      while (!calm.isCalm) {
        await calm.pass(random() * MOST_PAUSE_MS);
        const chosen = choose();
        if (calm.isCalm || chosen === undefined) continue;
        const [name, , trouble] = chosen;
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

function kindsOf(options: TroubleOptions): KindOfTrouble[] {
  const { daemon, fleet, calm, streams, turns } = options;
  const { weights } = fleet;
  const apply = () => daemon.configure(settingsFor(fleet.backends(), streams));
  const reweigh: Trouble = (draw) =>
    turns(async () => {
      for (const name of weights.keys()) weights.set(name, Math.ceil(draw.between(0, 10)));
      apply();
      daemon.hangUp();
    });
  const takeInOrOut = ({ name }: BackendProcess, draw: Draw) =>
    turns(async () => {
      if (weights.has(name)) weights.delete(name);
      else weights.set(name, Math.ceil(draw.between(0, 5)));
      apply();
      daemon.hangUp();
    });
  const breakConfig: Trouble = () =>
    turns(async () => {
      daemon.configure({ backends: [{ host: 'nobody', port: 0 }] });
      daemon.hangUp();
      await calm.pass(200);
      apply();
    });
  return [
    ['kill', 4, toOne((victim, draw) => victim.kill(draw.between(0, 4_000)))],
    ['freeze', 4, toOne((victim, draw) => victim.freeze(draw.between(100, 12_000)))],
    ['reset', 4, toOne(async (victim, draw) => victim.cut('reset', draw.between(0.1, 1)))],
    ['close', 3, toOne(async (victim, draw) => victim.cut('close', draw.between(0.1, 1)))],
    ['ill', 1, toOne((victim, draw) => victim.lookIll(draw.between(500, 3_000)))],
    ['drain', 3, toOne((victim, draw) => drainFor(daemon, victim, calm, draw.between(200, 4_000)))],
    ['weights', 3, reweigh],
    ['in or out', 2, toOne(takeInOrOut)],
    ['bad config', 1, breakConfig],
  ];
}

/** About one backend, if there is one that no other trouble is about. */
function toOne(act: (victim: BackendProcess, draw: Draw) => Promise<void>): Trouble {
  return async (draw) => {
    const victim = draw.victim();
    if (victim !== undefined) await act(victim, draw).finally(() => draw.done(victim));
  };
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
