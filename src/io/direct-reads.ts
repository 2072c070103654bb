/**
 * Connections whose bytes go straight to their parser. By default Node allocates 64 KiB for each read, queues what it read in
 * the stream and emits 'readable' in a later tick; for a chunk of a few hundred bytes that costs more than parsing it.
 */
import net from 'node:net';

/** All connections read into this one buffer: a read is copied out before the next one can happen. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Connects. Each piece that arrives is handed out by the first `read()` within a 'readable' event, without entering the
 * stream's queue. A piece that nobody takes then is queued as usual, so that 'data' listeners and pipes get it too.
 */
export function connectWithDirectReads(options: net.TcpNetConnectOpts): net.Socket {
  let offered: Buffer | undefined;
  const onread: net.OnReadOpts = {
    buffer: SCRATCH,
    callback(bytes) {
      const piece = Buffer.from(SCRATCH.subarray(0, bytes));
      // Bytes that came earlier are still queued, and have to be read first.
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
