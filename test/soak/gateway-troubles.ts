/** Trouble for the gateway itself: it is killed, its disk is full, or it has no file descriptor left. */
import { once } from 'node:events';
import net from 'node:net';
import type { Calm } from './calm.ts';
import type { DaemonProcess } from './daemon-process.ts';
import type { Hurts } from './hurts.ts';
import { DESCRIPTORS, GATEWAY } from './judge.ts';
import type { SmallDisk } from './small-disk.ts';
import type { KindOfTrouble } from './troubles.ts';
import { createTurns, type Turns } from './turns.ts';
import { until } from './until.ts';

export type GatewayTroubleOptions = {
  readonly daemon: Pick<DaemonProcess, 'url' | 'life' | 'descriptors' | 'isHealthy'>;
  readonly hurts: Hurts;
  readonly calm: Calm;
  /** For what must not happen while the gateway starts. */
  readonly turns: Turns;
  readonly disk: SmallDisk | undefined;
  readonly descriptorLimit: number;
  /** Whether it may still be killed: its growth shows only in a process that lives on. */
  readonly mayKill: () => boolean;
};

/** How many descriptors are taken at a time. */
const BATCH = 50;
const AGAIN_MS = 100;
/** Longer than a start takes, since it may be killed at the same time. */
const THERE_AGAIN_WITHIN_MS = 40_000;

export function gatewayTroubles(options: GatewayTroubleOptions): KindOfTrouble[] {
  const { daemon, hurts, calm, turns, disk, mayKill } = options;
  const [diskTurns, descriptorTurns] = [createTurns(), createTurns()];
  const kinds: KindOfTrouble[] = [
    [
      'gateway killed',
      1,
      (draw) =>
        turns(async () => {
          if (!mayKill() || calm.isCalm) return;
          const heal = hurts.begin(GATEWAY);
          await daemon.life.kill();
          await calm.pass(draw.between(0, 1_500));
          await daemon.life.start();
          heal();
        }),
    ],
    [
      'no descriptors',
      1,
      (draw) => descriptorTurns(() => takeDescriptors(options, draw.between(500, 3_000))),
    ],
  ];
  if (disk !== undefined) {
    kinds.push([
      'disk full',
      2,
      (draw) =>
        diskTurns(async () => {
          if (calm.isCalm) return;
          disk.fill();
          await calm.pass(draw.between(500, 4_000));
          disk.empty();
        }),
    ]);
  }
  return kinds;
}

/** Holds connections to the gateway until it can open nothing more, and lets go of them after so long. */
async function takeDescriptors(
  { daemon, hurts, calm, descriptorLimit }: GatewayTroubleOptions,
  ms: number,
): Promise<void> {
  const { port, hostname } = new URL(daemon.url);
  const held = new Set<net.Socket>();
  const heal = hurts.begin(DESCRIPTORS);
  const open = async () => {
    const socket = net.connect({ port: Number(port), host: hostname });
    held.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => held.delete(socket));
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  };
  // The last few are the gateway's own; what it cannot keep it closes at once.
  const isFull = () => (daemon.descriptors()?.all ?? descriptorLimit) > descriptorLimit - BATCH / 2;
  for (let taken = 0; taken < descriptorLimit && !isFull() && !calm.isCalm; taken += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, open));
  }
  // Again and again, since requests that end give some back.
  const deadline = performance.now() + ms;
  while (performance.now() < deadline && !calm.isCalm) {
    await Promise.all(Array.from({ length: BATCH }, open));
    await calm.pass(AGAIN_MS);
  }
  for (const socket of held) socket.destroy();
  // Until it has noticed it answers nobody, and what follows must not take that for a gateway that is broken.
  const isThereAgain = async () => daemon.life.hasDied || (await daemon.isHealthy());
  await until('the gateway has descriptors again', THERE_AGAIN_WITHIN_MS, isThereAgain).finally(heal);
}
