/** Lets undici read a connection whose bytes come directly (`io/incoming.ts`), without entering the stream's queue. */
import type { Socket } from 'node:net';
import type { Incoming } from '../incoming.ts';

/**
 * Each piece is handed out by the first `read()` within a 'readable' event. A piece that nobody takes then is queued as usual,
 * so that 'data' listeners and pipes get it too.
 */
export function offerReads(tcp: Socket, incoming: Incoming): void {
  let offered: Buffer | undefined;
  incoming.to((borrowed) => {
    const piece = Buffer.from(borrowed);
    // Bytes that came earlier are still queued, and have to be read first.
    if (tcp.readableLength > 0) return tcp.push(piece);
    offered = piece;
    tcp.emit('readable');
    if (offered === undefined) return true;
    offered = undefined;
    return tcp.push(piece);
  });
  const readOn: (size?: number) => Buffer | null = tcp.read.bind(tcp);
  tcp.read = (size?: number) => {
    const piece = offered;
    if (piece === undefined || size !== undefined) return readOn(size);
    offered = undefined;
    return piece;
  };
}
