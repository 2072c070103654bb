/** Requests that are too much, or of no sense: endless heads, wild methods and targets, bytes that are no text. */
import type { Making } from '../case.ts';

type Kind = { readonly name: string; readonly make: (making: Making) => string };

const HOST = 'Host: gateway.test\r\n';

const METHODS = [
  'GETT',
  'get',
  'Get',
  'G',
  '',
  'GET\0',
  'GET,POST',
  'A'.repeat(5000),
  'QUERY',
  'M-SEARCH',
  'PROPFIND',
  'PURGE',
  'TRACE',
  'CONNECT',
  'PRI',
  'BREW',
  '!#$%',
  'GET:',
  '"GET"',
  '\xc3\xa9',
  'SOURCE',
  'LINK',
  'ACL',
  '__proto__',
  'constructor',
];

const TARGETS = (path: string) => [
  '*',
  path.slice(1),
  `//${path}`,
  `${path}/../../etc/passwd`,
  `${path}/%2e%2e/%00`,
  `${path}?${'a&'.repeat(300)}`,
  `http://${path}`,
  `http://a:b@gateway.test${path}`,
  `http:/${path}`,
  `HTTP://GATEWAY.TEST${path}`,
  `ftp://a${path}`,
  `http://[::1]${path}`,
  `http://gateway.test:99999${path}`,
  `http://gateway.test?${path}`,
  `http://\xff${path}`,
  `${path}\xc0\xaf`,
  `${path}\xff\xfe`,
  `${path}\x7f`,
  `${path}\x01`,
  `${path}\t`,
  `${path}"<>{}|\\^\``,
  `${path}#a`,
  `${path}${'x'.repeat(15_000)}`,
  `${path}${'x'.repeat(70_000)}`,
  `${path}%zz`,
  `${path};a=b`,
  'gateway.test:80',
  '',
  `http://gateway.test\\${path}`,
  `${path}?\xe2\x80\xae`,
  `${path}%0d%0aX:%20y`,
  `http://a b${path}`,
  'http://',
  'https://a',
];

const KINDS: readonly Kind[] = [
  {
    name: 'method',
    make: ({ draw, marker }) => `${draw.pick(METHODS)} /v1/${marker} HTTP/1.1\r\n${HOST}\r\n`,
  },
  {
    name: 'target',
    make: ({ draw, marker }) => `GET ${draw.pick(TARGETS(`/v1/${marker}`))} HTTP/1.1\r\n${HOST}\r\n`,
  },
  {
    name: 'long head',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}X: ${'x'.repeat(draw.int(15_000, 40_000))}\r\n\r\n`,
  },
  {
    name: 'many headers',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(draw.int(100, 5000))}\r\n`,
  },
  {
    name: 'endless head',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}${'X-Endless: 1\r\n'.repeat(draw.int(100, 3000))}`,
  },
  {
    name: 'endless trailers',
    make: ({ draw, marker }) =>
      `POST /v1/${marker} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X-Endless: 1\r\n'.repeat(draw.int(100, 3000))}`,
  },
  {
    name: 'long name',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}${'x'.repeat(draw.int(1, 20_000))}: 1\r\n\r\n`,
  },
  {
    name: 'bytes in a value',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}X: ${draw.bytes(draw.int(1, 20))}\r\n\r\n`,
  },
  {
    name: 'bytes in a name',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}X${draw.bytes(draw.int(1, 5))}: y\r\n\r\n`,
  },
  {
    name: 'wild host',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\nHost: ${draw.pick(['a b', 'a/b', 'a@b', '[::1', '\xff', 'a:b', 'a:99999999', '', 'a,b', 'a\0', '%00', '[::1]:80', "'"])}\r\n\r\n`,
  },
  {
    name: 'magic names',
    make: ({ draw, marker }) =>
      `GET /v1/${marker} HTTP/1.1\r\n${HOST}${draw.pick(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'set-cookie', 'Age', 'Via', 'Proxy-Connection', 'Keep-Alive', 'X-Request-ID', 'X-Real-IP', 'X-Reprise-Backend'])}: ${draw.pick(['1', 'a\tb', '', ' ', '127.0.0.1', '\xe9'])}\r\n\r\n`,
  },
  { name: 'garbage', make: ({ draw, marker }) => marker + draw.bytes(draw.int(1, 300)) },
  {
    name: 'another protocol',
    make: ({ draw, marker }) =>
      draw.pick([
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'SSH-2.0-x\r\n',
        '\x05\x01\x00',
        'EHLO a\r\n',
        'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
        '*1\r\n$4\r\nPING\r\n',
      ]) + marker,
  },
  {
    name: 'too large',
    make: ({ draw, marker }) =>
      `POST /v1/${marker} HTTP/1.1\r\n${HOST}${draw.pick(['Content-Length: 99999999999\r\n\r\nx', `Content-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`, `Transfer-Encoding: chunked\r\n\r\n493e0\r\n${'x'.repeat(300_000)}\r\n0\r\n\r\n`])}`,
  },
  {
    name: 'half',
    make: ({ draw, marker }) => {
      const whole = `POST /v1/${marker} HTTP/1.1\r\n${HOST}Content-Length: 30\r\n\r\n${'x'.repeat(30)}`;
      return whole.slice(0, draw.int(1, whole.length - 1));
    },
  },
];

export function absurd(making: Making): { what: string; bytes: string } {
  const kind = making.draw.pick(KINDS);
  return { what: kind.name, bytes: kind.make(making) };
}
