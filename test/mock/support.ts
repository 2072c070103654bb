/**
 * Helpers of the mock's tests: a raw client that shows how a connection really ended, and short forms of requests.
 */
import { connect } from 'node:net';
import type { Mock } from '../../mock/server.ts';

/** How the server's side of a connection ended. */
export type SocketEnd = 'fin' | 'reset' | 'open';

export type RawAnswer = { readonly text: string; readonly end: SocketEnd };

/** One HTTP/1.1 request as text, with the length of its body and `headers` as they are given. */
export function requestText(
  method: string,
  path: string,
  body = '',
  headers: readonly string[] = [],
): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: mock', ...headers];
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Sends text over a socket of its own and reads until the server closes, or until `enough` holds. */
export function rawRequest(
  mock: Mock,
  text: string,
  enough: (received: string) => boolean = () => false,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(mock.port, mock.host);
    let received = '';
    const finish = (end: SocketEnd) => {
      socket.destroy();
      resolve({ text: received, end });
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (enough(received)) finish('open');
    });
    socket.once('end', () => finish('fin'));
    socket.once('error', () => finish('reset'));
    socket.write(text);
  });
}

/** A chat completion request as JSON text. */
export function chatBody(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields });
}

export function postJson(
  mock: Mock,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${mock.url}${path}`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

/** How many content tokens of a chat stream are in `text`. */
export function tokensIn(text: string): number {
  return text.split('"delta":{"content":').length - 1;
}
