/**
 * Connections whose bytes go straight to whoever reads them. By default Node allocates 64 KiB for each read, queues what it
 * read in the stream and emits 'readable' in a later tick; for a chunk of a few hundred bytes that costs more than parsing it.
 */
import net from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What comes over a connection. Reads can be held back by `pause` and `resume` of the socket. */
export type Incoming = {
  /**
   * From here on each piece goes to `listener`, which may write to it, has it only until it returns, and says whether to read on
   * (of a connection through TLS, which asks nobody, it is `pause` alone that holds reads back).
   */
  to(listener: (piece: Buffer) => boolean): void;
  /** From here on the socket is a stream as any other. */
  toStream(): void;
};

/** A connection that opens, and what will come over it. */
export type Dialed = { readonly tcp: net.Socket; readonly incoming: Incoming };

/** All connections read into this one buffer: what is not gone by the next read has been copied. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);

/** Opens a connection. It tells of that, and of failures, by the events of its socket. */
export function connectWithDirectReads(options: net.TcpNetConnectOpts): Dialed {
  let listener: ((piece: Buffer) => boolean) | undefined;
  const onread: net.OnReadOpts = {
    buffer: SCRATCH,
    callback(bytes) {
      const piece = SCRATCH.subarray(0, bytes);
      return listener === undefined ? tcp.push(Buffer.from(piece)) : listener(piece);
    },
  };
  const tcp = net.connect({ ...options, onread });
  const incoming: Incoming = {
    to(next) {
      listener = next;
    },
    toStream() {
      listener = undefined;
    },
  };
  return { tcp, incoming };
}

/** @returns what comes over a connection through TLS, decrypted */
export function incomingOf(tls: TLSSocket): Incoming {
  let listener: ((piece: Buffer) => boolean) | undefined;
  return {
    to(next) {
      listener = next;
      tls.on('data', next);
    },
    toStream() {
      tls.pause();
      if (listener !== undefined) tls.off('data', listener);
    },
  };
}
