/**
 * Smooth weighted round robin, exactly as nginx does it in `ngx_http_upstream_get_peer`
 * (src/http/ngx_http_upstream_round_robin.c). Each pick raises the current weight of every eligible peer by
 * its weight, takes the peer with the greatest, and lowers that one by the total. Heavy peers come up more
 * often yet never in a burst; for the weights 5, 1, 1 the current weights run:
 *
 *     before          after raising   picked   after lowering by 7
 *      0  0  0         5  1  1        a        -2  1  1
 *     -2  1  1         3  2  2        a        -4  2  2
 *     -4  2  2         1  3  3        b         1 -4  3
 *      1 -4  3         6 -3  4        a        -1 -3  4
 *     -1 -3  4         4 -2  5        c         4 -2 -2
 *      4 -2 -2         9 -1 -1        a         2 -1 -1
 *      2 -1 -1         7  0  0        a         0  0  0
 *
 * so the order is a a b a c a a, and the sum of the current weights is the same before and after each pick.
 */

export type WeightedPeer = {
  /**
   * How much of the traffic this peer takes, relative to the others: a whole number above 0, or some sixteenths of one
   * while it is in slow start.
   */
  readonly effectiveWeight: number;
  currentWeight: number;
};

/**
 * Picks the next peer and updates the current weights in place. Peers that are not eligible keep theirs, so a
 * peer that comes back takes up where it left. Among equals the first in the list wins, as in nginx.
 *
 * @returns the picked peer, or undefined (and nothing changed) if none is eligible.
 */
export function pickNext<Peer extends WeightedPeer>(
  peers: readonly Peer[],
  isEligible: (peer: Peer) => boolean,
): Peer | undefined {
  let best: Peer | undefined;
  let total = 0;
  for (const peer of peers) {
    if (!isEligible(peer)) continue;
    peer.currentWeight += peer.effectiveWeight;
    total += peer.effectiveWeight;
    if (best === undefined || peer.currentWeight > best.currentWeight) best = peer;
  }
  if (best !== undefined) best.currentWeight -= total;
  return best;
}
