/**
 * The selector actor: knows of each backend its weight, whether it is healthy and whether its pool has room,
 * and picks one for each request by smooth weighted round robin.
 *
 * It is a `fromTransition` actor, since it runs for each request and a machine would cost ten times as much.
 * It owns its state and updates it in place; nobody else holds a reference for longer than one step.
 */
import { fromTransition } from 'xstate';
import { assertNever } from './assert-never.ts';
import { pickNext } from './swrr.ts';

export type Peer = {
  readonly backend: string;
  weight: number;
  /** Its weight, or less while it is in slow start; see `ramp.ts`. */
  effectiveWeight: number;
  currentWeight: number;
  healthy: boolean;
  hasRoom: boolean;
  /** Until when it is passed over while there are others, in milliseconds since the epoch. */
  pausedUntil: number;
};

export type SelectorState = {
  /** In the order of the config, which decides between equals. */
  peers: Peer[];
  /** What the last `pick` chose. */
  picked: string | undefined;
};

export type SelectorEvent =
  | { type: 'configured'; weights: readonly { backend: string; weight: number }[] }
  | { type: 'healthChanged'; backend: string; healthy: boolean }
  | { type: 'roomChanged'; backend: string; hasRoom: boolean }
  | { type: 'paused'; backend: string; until: number }
  | { type: 'ramped'; backend: string; effectiveWeight: number }
  | { type: 'pick'; exclude: readonly string[]; at: number };

/**
 * Keeps the peers that stay. A peer with a new weight starts at 0. One with its old weight keeps its current weight,
 * but where any weight is new, or a peer came or went, only within one round of the new weights: what was earned in
 * another round may be hundreds of turns ahead.
 */
function configure(state: SelectorState, weights: readonly { backend: string; weight: number }[]): void {
  const known = new Map(state.peers.map((peer) => [peer.backend, peer]));
  const isSame =
    weights.length === state.peers.length &&
    weights.every(({ backend, weight }) => known.get(backend)?.weight === weight);
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  state.peers = weights.map(({ backend, weight }) => {
    const peer = known.get(backend);
    if (peer === undefined) return newPeer(backend, weight);
    if (peer.weight !== weight) peer.currentWeight = 0;
    else if (!isSame) peer.currentWeight = Math.max(-total, Math.min(total, peer.currentWeight));
    peer.weight = weight;
    peer.effectiveWeight = weight;
    return peer;
  });
}

function newPeer(backend: string, weight: number): Peer {
  return {
    ...{ backend, weight, effectiveWeight: weight, currentWeight: 0 },
    ...{ healthy: false, hasRoom: true, pausedUntil: 0 },
  };
}

function isEligible(peer: Peer, exclude: readonly string[]): boolean {
  return peer.healthy && peer.hasRoom && !exclude.includes(peer.backend);
}

/** Whether a peer could take a request at once and has not asked to be left alone. */
export function isWilling(peer: Peer, exclude: readonly string[], at: number): boolean {
  return at >= peer.pausedUntil && isEligible(peer, exclude);
}

/**
 * A pause is a wish: where nobody else can take the request, it goes to a backend that asked to be left alone, whose
 * answer then tells the client when to come again.
 */
function pick({ peers }: SelectorState, exclude: readonly string[], at: number): Peer | undefined {
  return (
    pickNext(peers, (peer) => isWilling(peer, exclude, at)) ??
    pickNext(peers, (peer) => isEligible(peer, exclude))
  );
}

/** The transition function of the selector actor. */
function select(state: SelectorState, event: SelectorEvent): SelectorState {
  state.picked = undefined;
  switch (event.type) {
    case 'configured':
      configure(state, event.weights);
      return state;
    case 'healthChanged': {
      const peer = state.peers.find(({ backend }) => backend === event.backend);
      if (peer !== undefined) peer.healthy = event.healthy;
      return state;
    }
    case 'roomChanged': {
      const peer = state.peers.find(({ backend }) => backend === event.backend);
      if (peer !== undefined) peer.hasRoom = event.hasRoom;
      return state;
    }
    case 'paused': {
      const peer = state.peers.find(({ backend }) => backend === event.backend);
      if (peer !== undefined) peer.pausedUntil = event.until;
      return state;
    }
    case 'ramped': {
      const peer = state.peers.find(({ backend }) => backend === event.backend);
      if (peer !== undefined) peer.effectiveWeight = event.effectiveWeight;
      return state;
    }
    case 'pick':
      state.picked = pick(state, event.exclude, event.at)?.backend;
      return state;
    default:
      return assertNever(event);
  }
}

/** Logic for `createActor`; its context is a {@link SelectorState}, an empty one unless it is given one. */
export const selectorLogic = fromTransition(
  select,
  ({ input }: { input: SelectorState | undefined }): SelectorState =>
    input ?? { peers: [], picked: undefined },
);
