/** Answers that are wrong in ways a backend, or one who has taken it over, may choose; and what comes behind answers. */
import { CHUNK_SIZES, LENGTHS, OBFUSCATED } from '../http/tricks.ts';
import { POISON } from '../markers.ts';
import type { Draw } from '../random.ts';

type Kind = { readonly name: string; readonly make: (draw: Draw, marker: string) => string };

const OK = 'HTTP/1.1 200 OK\r\n';

const STATUS_LINES = [
  'HTTP/1.1 000 Zero',
  'HTTP/1.1 099 Low',
  'HTTP/1.1 600 High',
  'HTTP/1.1 999 Top',
  'HTTP/1.1 1000 Long',
  'HTTP/1.1 20 Short',
  'HTTP/1.1 200',
  'HTTP/1.1 200 ',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200 \x01',
  'HTTP/1.1 200 caf\xe9',
  'HTTP/1.1 200 a\0b',
  'HTTP/1.1 -20 OK',
  'HTTP/1.1 2e2 OK',
  'HTTP/0.9 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/1 200 OK',
  'http/1.1 200 OK',
  ' HTTP/1.1 200 OK',
  '\r\nHTTP/1.1 200 OK',
  '\nHTTP/1.1 200 OK',
  'HTTP/1.1\t200\tOK',
  'ICY 200 OK',
  'RTSP/1.0 200 OK',
  '200 OK',
  'HTTP/1.1 200 OK\rX: y',
  'HTTP/1.1 200 OK\nX: y',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 205 Reset',
  `HTTP/1.1 200 ${'x'.repeat(20_000)}`,
  'HTTP/1.1 408 Timeout',
  'HTTP/1.1 299 Odd',
];

const FIELDS = [
  'X-A : b',
  'X-A',
  ': b',
  'X-A: b\r\n folded',
  'X-A: b\nX-B: c',
  'X-A: b\rX-B: c',
  'X-A: b\0c',
  'X-A: \x01',
  'X-A: \x7f',
  'X\xe9: y',
  'X-A: \xff\xfe',
  'X-A: \r',
  '\tX-A: b',
  'Connection: close',
  'Connection: upgrade',
  'Connection: content-length',
  'Connection: x-a, ,',
  'Keep-Alive: timeout=0',
  'Keep-Alive: timeout=-1',
  'Keep-Alive: timeout=99999999999999',
  'Keep-Alive: timeout=x',
  'Upgrade: websocket',
  'Retry-After: -1',
  'Retry-After: 99999999999999999',
  'Retry-After: Thu, 01 Jan 1970',
  'Set-Cookie: a=b\r\nSet-Cookie: a=c',
  'Content-Type: text/event-stream\r\nContent-Encoding: gzip',
  'Trailer: Content-Length',
  'X-Request-ID: theirs',
  'X-Reprise-Backend: theirs',
  'Date: never',
  'Content-Disposition: attachment; filename="caf\xe9"',
  '__proto__: x',
  'constructor: y',
  `X: ${'x'.repeat(30_000)}`,
  'X-A: b\r\n'.repeat(3000),
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'TE: trailers',
  'Proxy-Authenticate: Basic',
];

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** A whole answer that nobody asked for. */
const splitOff = (marker: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length + marker.length}\r\n\r\n${POISON}${marker}`;

const KINDS: readonly Kind[] = [
  {
    name: 'status line',
    make: (draw, marker) => `${draw.pick(STATUS_LINES)}\r\nContent-Length: 13\r\n\r\n${marker}`,
  },
  {
    name: 'field',
    make: (draw, marker) => `${OK}${draw.pick(FIELDS)}\r\nContent-Length: 13\r\n\r\n${marker}`,
  },
  {
    name: 'field behind',
    make: (draw, marker) =>
      `${OK}Transfer-Encoding: chunked\r\n${draw.pick(FIELDS)}\r\n\r\n${chunk(marker)}0\r\n\r\n`,
  },
  {
    name: 'length',
    make: (draw, marker) => `${OK}Content-Length: ${draw.pick(LENGTHS(13))}\r\n\r\n${marker}`,
  },
  {
    name: 'lengths',
    make: (draw, marker) =>
      `${OK}Content-Length: 13\r\nContent-Length: ${draw.pick(['13', '0', '5', '99', ''])}\r\n\r\n${marker}`,
  },
  {
    name: 'wrong length',
    make: (draw, marker) => `${OK}Content-Length: ${draw.int(0, 40)}\r\n\r\n${marker}${splitOff(marker)}`,
  },
  {
    name: 'coding',
    make: (draw, marker) => `${OK}${draw.pick(OBFUSCATED)}\r\n\r\n${chunk(marker)}0\r\n\r\n`,
  },
  {
    name: 'coding and length',
    make: (draw, marker) =>
      `${OK}Content-Length: ${draw.int(0, 40)}\r\n${draw.pick(OBFUSCATED)}\r\n\r\n${chunk(marker)}0\r\n\r\n`,
  },
  {
    name: 'chunk size',
    make: (draw, marker) =>
      `${OK}Transfer-Encoding: chunked\r\n\r\n${draw.pick(CHUNK_SIZES(13))}\r\n${marker}\r\n0\r\n\r\n`,
  },
  {
    name: 'last chunk',
    make: (draw, marker) =>
      `${OK}Transfer-Encoding: chunked\r\n\r\n${chunk(marker)}${draw.pick(CHUNK_SIZES(0))}\r\n\r\n`,
  },
  {
    name: 'chunk end',
    make: (draw, marker) =>
      `${OK}Transfer-Encoding: chunked\r\n\r\nd\r\n${marker}${draw.pick(['', '\n', '\r', 'XX', '\r\r\n'])}0\r\n\r\n`,
  },
  {
    name: 'trailers',
    make: (draw, marker) =>
      `${OK}Transfer-Encoding: chunked\r\n\r\n${chunk(marker)}0\r\n${draw.pick(FIELDS)}\r\n\r\n`,
  },
  {
    name: 'interim',
    make: (draw, marker) =>
      `${`HTTP/1.1 ${draw.pick(['100 Continue', '102 Processing', '103 Early Hints', '199 Odd'])}\r\n${draw.pick(['', 'X-A: b\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n'])}\r\n`.repeat(draw.pick([1, 3, 200]))}${OK}Content-Length: 13\r\n\r\n${marker}`,
  },
  {
    name: 'body where none may be',
    make: (draw, marker) =>
      `HTTP/1.1 ${draw.pick(['204 No Content', '304 Not Modified', '101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade', '100 Continue'])}\r\nContent-Length: 13\r\n\r\n${marker}${splitOff(marker)}`,
  },
  { name: 'garbage', make: (draw) => draw.bytes(draw.int(1, 300)) },
  {
    name: 'another protocol',
    make: (draw, marker) =>
      draw.pick([
        '\x15\x03\x01\x00\x02\x02\x46',
        'SSH-2.0-x\r\n',
        '\x00\x00\x12\x04\x00\x00\x00\x00\x00',
        '-ERR\r\n',
        '<html>',
        '',
      ]) + marker,
  },
  { name: 'endless head', make: () => `${OK}${'X-Endless: 1\r\n'.repeat(3000)}` },
  {
    name: 'two answers',
    make: (_draw, marker) => `${OK}Content-Length: 13\r\n\r\n${marker}${splitOff(marker)}`,
  },
  {
    name: 'answer behind chunks',
    make: (draw, marker) =>
      `${OK}Transfer-Encoding: chunked\r\n\r\n${chunk(marker)}0\r\n\r\n${draw.pick(['', '\r\n', '\0', '0\r\n\r\n'])}${splitOff(marker)}`,
  },
  {
    name: 'half an answer behind',
    make: (draw, marker) =>
      `${OK}Content-Length: 13\r\n\r\n${marker}${splitOff(marker).slice(0, draw.int(1, 50))}`,
  },
  {
    name: 'answer behind none',
    make: (draw, marker) =>
      `HTTP/1.1 ${draw.pick(['204 No Content', '304 Not Modified', '200 OK\r\nContent-Length: 0'])}\r\n\r\n${splitOff(marker)}`,
  },
];

/** One of them, drawn. */
export function brokenAnswer(draw: Draw, marker: string): { what: string; bytes: string } {
  const kind = draw.pick(KINDS);
  return { what: kind.name, bytes: kind.make(draw, marker) };
}
