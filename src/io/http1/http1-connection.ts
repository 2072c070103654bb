/**
 * HTTP/1.1 on a connection to a backend (RFC 9112), one request at a time. Framed here and not by undici, which costs more and
 * hides what becomes of the connection (ARCHITECTURE.md, *Sockets*).
 */
import type { Socket } from 'node:net';
import type { UpstreamReceiver, UpstreamRequest } from '../../streams/ports.ts';
import type { Connection } from '../connection.ts';
import { classifyLoss } from '../failures.ts';
import type { Incoming } from '../incoming.ts';
import { createResponseClock, type ResponseTimeouts } from '../response-clock.ts';
import { createIdleLimit } from './idle-limit.ts';
import { type Carrier, Sending } from './sending.ts';

/**
 * Speaks without undici.
 *
 * @param tcp an open connection
 * @param incoming what comes over it
 * @param host `host:port`, for requests that name no host
 */
export function createHttp1Connection(tcp: Socket, incoming: Incoming, host: string): Connection {
  const clock = createResponseClock();
  const idleLimit = createIdleLimit(() => tcp.destroy());
  let current: Sending | undefined;
  let isReading = false;

  const onPiece = (piece: Buffer): boolean => {
    // What comes without being asked for could only be taken for the answer to a request that is still to come.
    if (current?.isWritten !== true) {
      tcp.destroy();
      return true;
    }
    isReading = true;
    current.read(piece);
    isReading = false;
    return true;
  };
  const onEnd = () => {
    // Without a request, or in the middle of an answer, nothing good can come any more.
    if (current?.ended() !== true) tcp.destroy();
  };

  const carrier: Carrier = {
    tcp,
    clock,
    host,
    release(keepAliveTimeoutMs) {
      current = undefined;
      return !tcp.destroyed && !tcp.readableEnded && idleLimit.begin(keepAliveTimeoutMs);
    },
    handOver(rest) {
      current = undefined;
      tcp.off('end', onEnd);
      incoming.toStream();
      if (rest.length > 0) tcp.unshift(Buffer.from(rest));
    },
    giveUp() {
      current = undefined;
      tcp.destroy();
    },
  };
  tcp.on('end', onEnd);
  incoming.to(onPiece);

  return {
    send(request: UpstreamRequest, receiver: UpstreamReceiver, timeouts: ResponseTimeouts) {
      current = new Sending(carrier, request, receiver, timeouts);
      idleLimit.end();
      // Put off, so that a close which has arrived is seen before anything is written. Within the read of the answer before, the
      // next read is one turn of the event loop further off.
      setImmediate(isReading ? writeNextTurn : write, current);
    },
    closed(error) {
      clock.closed();
      idleLimit.clear();
      current?.fail(error === undefined ? 'closed' : classifyLoss(error));
    },
  };
}

function writeNextTurn(sending: Sending): void {
  setImmediate(write, sending);
}

function write(sending: Sending): void {
  sending.write();
}
