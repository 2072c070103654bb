/** The answer to a request for a WebSocket that is not granted: as of any other call, and then the connection ends. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

const REFUSALS = {
  forbidden: {
    status: 403,
    message: 'The admin listener answers to its own address only, and to no other web page.',
  },
  not_found: { status: 404, message: 'No WebSocket is served here; the inspector is at /inspector/ws.' },
  too_many_viewers: {
    status: 503,
    message: 'No more viewers are taken: as many as may watch do, or the gateway is stopping.',
  },
} as const;

export function refuseUpgrade(socket: Duplex, code: keyof typeof REFUSALS): void {
  const { status, message } = REFUSALS[code];
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  // Whoever has gone before the answer need not hear it.
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
