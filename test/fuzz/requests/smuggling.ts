/**
 * Request smuggling in its published variants: each hides a second request behind or within a first one whose framing
 * two readers could take differently. Names are those of the literature: which header the front reads, and which the back.
 */
import type { Making } from '../case.ts';
import { CHUNK_SIZES, LENGTHS, OBFUSCATED } from '../http/tricks.ts';
import type { Draw } from '../random.ts';

type Attack = { readonly name: string; readonly make: (attack: Parts) => string };

/** What an attack is put together from. */
type Parts = {
  readonly draw: Draw;
  /** The request line and `Host` of the request that is shown, with the end of the line. */
  readonly shown: string;
  /** A whole request that must not be taken for one. */
  readonly hidden: string;
};

const FIRST_LINES = (target: string) => [
  `GET  ${target} HTTP/1.1`,
  `GET ${target}  HTTP/1.1`,
  `GET\t${target}\tHTTP/1.1`,
  ` GET ${target} HTTP/1.1`,
  `GET ${target} HTTP/1.1 `,
  `GET ${target} HTTP/01.1`,
  `GET ${target} HTTP/1.10`,
  `GET ${target} http/1.1`,
  `GET ${target}`,
  `GET ${target} HTTP/0.9`,
  `GET ${target} HTTP/2.0`,
  `GET ${target} HTTP/1.1\rX: y`,
  `GET ${target} HTTP/1.1\nX: y`,
  `\0GET ${target} HTTP/1.1`,
  `G\xc3\x89T ${target} HTTP/1.1`,
  `${target} HTTP/1.1`,
  `GET ${target}\x0b HTTP/1.1`,
  `GET ${target}#frag HTTP/1.1`,
  `GET ${target} HTTP/1.1 HTTP/1.1`,
  `GET ${target} RTSP/1.0`,
];

const post = (shown: string, headers: readonly string[], body: string) =>
  `POST ${shown}${headers.map((line) => `${line}\r\n`).join('')}\r\n${body}`;

const ATTACKS: readonly Attack[] = [
  {
    name: 'CL.TE',
    make: ({ shown, hidden }) =>
      post(
        shown,
        [`Content-Length: ${5 + hidden.length}`, 'Transfer-Encoding: chunked'],
        `0\r\n\r\n${hidden}`,
      ),
  },
  {
    name: 'TE.CL',
    make: ({ shown, hidden }) =>
      post(shown, ['Transfer-Encoding: chunked', 'Content-Length: 4'], inChunk(hidden)),
  },
  {
    name: 'TE.TE',
    make: ({ draw, shown, hidden }) =>
      post(shown, ['Content-Length: 4', draw.pick(OBFUSCATED)], inChunk(hidden)),
  },
  {
    name: 'TE alone, obfuscated',
    make: ({ draw, shown, hidden }) => post(shown, [draw.pick(OBFUSCATED)], `0\r\n\r\n${hidden}`),
  },
  {
    name: 'TE twice',
    make: ({ draw, shown, hidden }) =>
      post(shown, ['Transfer-Encoding: chunked', draw.pick(OBFUSCATED)], `0\r\n\r\n${hidden}`),
  },
  {
    name: 'CL.CL',
    make: ({ draw, shown, hidden }) => {
      const lengths = [`Content-Length: 0`, `Content-Length: ${hidden.length}`];
      return post(shown, draw.chance(0.5) ? lengths : lengths.reverse(), hidden);
    },
  },
  {
    name: 'CL that is none',
    make: ({ draw, shown, hidden }) =>
      post(shown, [`Content-Length: ${draw.pick(LENGTHS(hidden.length))}`], hidden),
  },
  {
    name: 'CL obfuscated',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        [
          `${draw.pick([
            'Content-Length :',
            ' Content-Length:',
            'Content-Length\0:',
            'Content_Length:',
            'X: y\nContent-Length:',
            'Content-Length\t:',
            'X: y\rContent-Length:',
          ])} ${hidden.length}`,
        ],
        hidden,
      ),
  },
  {
    name: 'CL.0',
    make: ({ draw, shown, hidden }) =>
      `${draw.pick(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'])} ${shown}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  },
  { name: '0.CL', make: ({ shown, hidden }) => post(shown, ['Content-Length: 0'], hidden) },
  {
    name: 'TE.0',
    make: ({ draw, shown, hidden }) =>
      `${draw.pick(['GET', 'OPTIONS', 'HEAD'])} ${shown}Transfer-Encoding: chunked\r\n\r\n${inChunk(hidden)}`,
  },
  {
    name: 'chunk size',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        ['Transfer-Encoding: chunked'],
        `${draw.pick(CHUNK_SIZES(hidden.length))}\r\n${hidden}\r\n0\r\n\r\n`,
      ),
  },
  {
    name: 'last chunk',
    make: ({ draw, shown, hidden }) =>
      post(shown, ['Transfer-Encoding: chunked'], `${draw.pick(CHUNK_SIZES(0))}\r\n\r\n${hidden}`),
  },
  {
    name: 'chunk ends',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        ['Transfer-Encoding: chunked'],
        `2\r\nab${draw.pick(['', '\n', '\r', '\r\r\n', '\n\r', 'XX', '\0\0', ' \r\n'])}0\r\n\r\n${hidden}`,
      ),
  },
  {
    name: 'trailers that frame',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        ['Transfer-Encoding: chunked', 'Trailer: Content-Length'],
        `0\r\n${draw.pick(['Content-Length: 50', 'Transfer-Encoding: chunked', 'Host: evil', 'X: y\nZ: z', ' folded', 'X : y', 'X: \0'])}\r\n\r\n${hidden}`,
      ),
  },
  {
    name: 'no trailer end',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        ['Transfer-Encoding: chunked'],
        `0${draw.pick(['\n\n', '\r\n\n', '\n\r\n', '\r\r', '\r\n\r'])}${hidden}`,
      ),
  },
  {
    name: 'hop-by-hop',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        [
          `Connection: ${draw.pick(['Content-Length', 'Transfer-Encoding', 'Host', 'close, Content-Length', 'X-Real-IP', 'keep-alive, Host'])}`,
          `Content-Length: ${hidden.length}`,
        ],
        hidden,
      ),
  },
  {
    name: 'Expect',
    make: ({ draw, shown, hidden }) =>
      post(
        shown,
        [
          `Expect: ${draw.pick(['100-continue', '100-Continue', '\x31\x30\x30-continue ', 'x', '100-continue, y'])}`,
          `Content-Length: ${hidden.length}`,
        ],
        hidden,
      ),
  },
  {
    name: 'Upgrade',
    make: ({ draw, shown, hidden }) => {
      const asks = draw.pick([
        'Connection: Upgrade',
        'connection: keep-alive , upgrade',
        'Proxy-Connection: upgrade',
        'X: y',
      ]);
      const protocol = `Upgrade: ${draw.pick(['h2c', 'websocket', 'h2c, websocket', 'TLS/1.0'])}`;
      const body = draw.pick([
        '\r\n',
        'Content-Length: 10\r\n\r\n',
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
        'Sec-WebSocket-Version: 13\r\n\r\n',
        'Content-Length: 2\r\n\r\nab',
        `Transfer-Encoding: chunked\r\n\r\n${inChunk('ab')}0\r\n\r\n`,
      ]);
      const first = `${draw.pick(['GET', 'POST'])} ${shown}${asks}\r\n${protocol}\r\n${body}`;
      // The body of a request behind it is what could be taken for one.
      return first + draw.pick(['', post(shown, [`Content-Length: ${hidden.length}`], '')]) + hidden;
    },
  },
  {
    name: 'HTTP/1.0',
    make: ({ draw, shown, hidden }) =>
      post(
        shown.replace('HTTP/1.1', 'HTTP/1.0'),
        [
          draw.pick([
            'Transfer-Encoding: chunked',
            'Connection: keep-alive',
            'Connection: keep-alive\r\nTransfer-Encoding: chunked',
            'Content-Length: 0',
          ]),
        ],
        `0\r\n\r\n${hidden}`,
      ),
  },
  { name: 'behind a close', make: ({ shown, hidden }) => `GET ${shown}Connection: close\r\n\r\n${hidden}` },
  {
    name: 'bare LF',
    make: ({ draw, shown, hidden }) =>
      lines(draw, post(shown, [`Content-Length: ${hidden.length}`], hidden), '\n'),
  },
  {
    name: 'bare CR',
    make: ({ draw, shown, hidden }) =>
      lines(draw, post(shown, [`Content-Length: ${hidden.length}`], hidden), '\r'),
  },
  {
    name: 'obs-fold',
    make: ({ draw, shown, hidden }) =>
      post(shown, ['X-A: b', `${draw.pick([' ', '\t'])}Content-Length: ${hidden.length}`], hidden),
  },
  {
    name: 'hidden in a header',
    make: ({ draw, shown, hidden }) =>
      `GET ${shown}X-A: b${draw.pick(['\n', '\r', '\0', '\r\r\n', '\n\n', '\u0001', '\x0b'])}${hidden}\r\n\r\n`,
  },
  {
    name: 'Hosts',
    make: ({ draw, shown, hidden }) =>
      `GET ${shown}${draw.pick(['Host: evil', 'Host: evil\r\nHost: evil', 'Host : evil', 'Host:', 'X: y\nHost: evil', ' Host: evil', 'host\0: evil'])}\r\n\r\n${hidden}`,
  },
  {
    name: 'first line',
    make: ({ draw, shown, hidden }) =>
      `${draw.pick(FIRST_LINES(shown.split(' ')[0] ?? ''))}\r\nHost: gateway.test\r\n\r\n${hidden}`,
  },
  {
    name: 'leading bytes',
    make: ({ draw, shown, hidden }) =>
      `${draw.pick([' ', '\t', '\0', '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', '\xef\xbb\xbf', '0\r\n\r\n', 'X: y\r\n'])}GET ${shown}\r\n${hidden}`,
  },
  {
    name: 'trailing bytes',
    make: ({ draw, shown, hidden }) =>
      `${post(shown, ['Content-Length: 2'], 'ab')}${draw.pick(['\0', ' ', 'x', '\r\nx', '\xff'])}${hidden}`,
  },
];

/** One attack, drawn, of which nothing but what is framed may arrive. */
export function smuggling({ draw, marker }: Making): { what: string; bytes: string } {
  const hidden = hiddenRequest(draw, marker);
  const attack = draw.pick(ATTACKS);
  const form = draw.pick(['', '', '', 'http://gateway.test', 'http://evil.test:99']);
  const shown = `${form}/v1/${marker}/shown HTTP/1.1\r\nHost: gateway.test\r\n`;
  return { what: attack.name, bytes: attack.make({ draw, shown, hidden }) };
}

/** Whole, or with its end open, as an attacker leaves it to swallow the head of the next request. */
function hiddenRequest(draw: Draw, marker: string): string {
  const head = `GET /v1/${marker}/hidden HTTP/1.1\r\nHost: hidden.test\r\n`;
  return draw.pick([
    `${head}\r\n`,
    `${head}X-Swallows: `,
    `POST${head.slice(3)}Content-Length: 100\r\n\r\nx=`,
  ]);
}

function inChunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
}

/** Some ends of lines, or all, are replaced. */
function lines(draw: Draw, text: string, end: string): string {
  const share = draw.pick([0.1, 0.3, 1]);
  return text.replaceAll('\r\n', (found) => (draw.chance(share) ? end : found));
}
