/**
 * The inspector's protocol on the admin listener: who asks for `/inspector/ws` and may have it becomes a viewer, and as
 * long as there is one, the core is watched.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../log.ts';
import { type Attachment, attach, type Inspected } from './attachment.ts';
import { refuseUpgrade } from './refusal.ts';
import { createViewers } from './viewers.ts';

export type ProtocolOptions = {
  readonly inspected: Inspected;
  /** Whether this request may see the inside; judged by the admin listener as for its other calls. */
  isAllowed(request: IncomingMessage): boolean;
  readonly log: Logger;
};

export type InspectorProtocol = {
  /** Answers requests for a WebSocket that come to this server. */
  listen(server: Server): void;
  /** How many are watching; with none, the core is not observed. */
  readonly viewers: number;
  /** Says goodbye to all viewers and takes no more. */
  close(): Promise<void>;
};

/** Where viewers connect. */
export const WEBSOCKET_PATH = '/inspector/ws';
const VIEWERS_MAX = 16;
/** What a viewer may say at once, though nobody listens. */
const MESSAGE_BYTES = 1024;

export function createInspectorProtocol({ inspected, isAllowed, log }: ProtocolOptions): InspectorProtocol {
  const handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  let attachment: Attachment | undefined;
  let isClosed = false;
  const letGo = () => {
    if (viewers.count > 0) return;
    attachment?.detach();
    attachment = undefined;
  };
  const onError = (error: unknown) => log.error(error, 'a message for the inspector could not be made');
  const viewers = createViewers({
    onSlow: (bufferedBytes) =>
      log.warn({ bufferedBytes }, 'a viewer of the inspector was cut off: it reads too slowly'),
    onLeft: letGo,
  });
  const welcome = (socket: WebSocket) => {
    try {
      attachment ??= attach(inspected, { tell: viewers.tell, show: viewers.show, onError });
      viewers.add(socket, attachment.opening());
    } catch (error) {
      onError(error);
      socket.terminate();
      letGo();
    }
  };
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isAllowed(request)) return refuseUpgrade(socket, 'forbidden');
    if (pathOf(request) !== WEBSOCKET_PATH) return refuseUpgrade(socket, 'not_found');
    if (isClosed || viewers.count >= VIEWERS_MAX) return refuseUpgrade(socket, 'too_many_viewers');
    handshakes.handleUpgrade(request, socket, head, welcome);
  };
  return {
    listen(server) {
      server.on('upgrade', upgrade);
    },
    get viewers() {
      return viewers.count;
    },
    close() {
      isClosed = true;
      return viewers.close();
    },
  };
}

function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  return url.split('?', 1)[0];
}
