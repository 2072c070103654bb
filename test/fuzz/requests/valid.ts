/** Requests as they should be, of every shape there is: to damage, and to see that good ones are served. */

import type { Making } from '../case.ts';
import type { Draw } from '../random.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD'];
const HEADERS = [
  'Accept: */*',
  'Authorization: Bearer abc',
  'Content-Type: application/json',
  'Cookie: a=b; c=d',
  'X-Empty:',
  'X-Forwarded-For: 203.0.113.7',
  'X-Latin: caf\xe9',
  'TE: trailers',
  'Connection: keep-alive',
  'Connection: x-hop',
  'X-Hop: 1',
];

/** A request with a marker in its target, and in its body if it has one. */
export function validRequest(making: Making, name = 'a'): string {
  const { draw, marker } = making;
  const method = draw.pick(METHODS);
  const lines = [`${method} ${targetFor(making, name)} HTTP/1.1`, 'Host: gateway.test'];
  for (let count = draw.int(0, 4); count > 0; count -= 1) lines.push(draw.pick(HEADERS));
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return `${lines.join('\r\n')}\r\n\r\n`;
  if (draw.chance(0.15)) lines.push('Expect: 100-continue');
  const body = `{"marker":"${marker}","pad":"${'x'.repeat(draw.int(0, 300))}"}`;
  if (draw.chance(0.5)) {
    return `${[...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
  }
  return `${[...lines, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n${chunked(draw, body)}`;
}

/** As clients of HTTP/1.0 ask: one request a connection, and the host in the target, or nowhere. */
export function oldRequest({ draw, marker }: Making): string {
  const host = draw.pick(['', 'http://gateway.test']);
  return `${draw.pick(['GET', 'HEAD'])} ${host}/v1/${marker}/old HTTP/1.0\r\nAccept: */*\r\n\r\n`;
}

/** Several on one connection, all sent at once. */
export function validPipeline(making: Making): string {
  const count = making.draw.int(1, 4);
  return Array.from({ length: count }, (_, index) => validRequest(making, String(index))).join('');
}

function targetFor({ draw, marker }: Making, name: string): string {
  const path = `/v1/${marker}/${name}`;
  return draw.pick([path, path, `${path}?q=${draw.int(0, 9)}`, `http://gateway.test${path}`]);
}

/** A body in chunks of any size, with an extension here and there, and maybe trailers. */
export function chunked(draw: Draw, body: string): string {
  let text = '';
  let at = 0;
  while (at < body.length) {
    const size = draw.int(1, body.length - at);
    text += `${size.toString(16)}${draw.chance(0.2) ? ';a=b' : ''}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}0\r\n${draw.chance(0.2) ? 'X-Sum: 1\r\n' : ''}\r\n`;
}
