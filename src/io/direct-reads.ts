/**
 * Connections whose bytes go straight to the one who parses them. Node reads each time into 64 KiB of new memory, and passes
 * it on by way of a queue and a turn of its own; for a chunk of a few hundred bytes that costs more than to parse it.
 */
import net from 'node:net';

/** Read into by all connections in turn: what is in it is copied out before the next one reads. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Connects. What comes is offered to whoever listens for 'readable', within that event; what is not taken then waits in the
 * stream as usual, where also those who read by 'data' or pipes find it.
 */
export function connectWithDirectReads(options: net.TcpNetConnectOpts): net.Socket {
  let offered: Buffer | undefined;
  const onread: net.OnReadOpts = {
    buffer: SCRATCH,
    callback(bytes) {
      const piece = Buffer.from(SCRATCH.subarray(0, bytes));
      // Behind what waits already it has to wait too.
      if (socket.readableLength > 0) return socket.push(piece);
      offered = piece;
      socket.emit('readable');
      if (offered === undefined) return true;
      offered = undefined;
      return socket.push(piece);
    },
  };
  const socket = net.connect({ ...options, onread });
  const readOn: (size?: number) => Buffer | null = socket.read.bind(socket);
  socket.read = (size?: number) => {
    const piece = offered;
    if (piece === undefined || size !== undefined) return readOn(size);
    offered = undefined;
    return piece;
  };
  return socket;
}
