/** Random damage to bytes: a few flips, cuts, repeats, and the pieces of HTTP where they do not belong. */
import type { Draw } from '../random.ts';

/** What parsers trip over. */
const SHARDS = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '-1',
  '+1',
  '0x10',
  'ffffffffffffffff',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x80',
  '\xff',
  '\xc0\xaf',
  '"',
  'chunked',
  'HTTP/1.1',
  'Host: b',
  '\r\nHost: b',
  '\r\nContent-Length: 3',
  '\r\nTransfer-Encoding: chunked',
  '\r\nConnection: close',
  '\r\n ',
  '0\r\n\r\n',
  '\r\r\n',
];

export function mutate(draw: Draw, bytes: string): string {
  let text = bytes;
  for (let count = draw.int(1, 4); count > 0; count -= 1) text = mutateOnce(draw, text);
  return text;
}

function mutateOnce(draw: Draw, text: string): string {
  const at = draw.int(0, text.length);
  const before = text.slice(0, at);
  const behind = text.slice(at);
  switch (draw.int(0, 6)) {
    case 0:
      return before + draw.bytes(1) + behind.slice(1);
    case 1:
      return before + draw.bytes(draw.int(1, 8)) + behind;
    case 2:
      return before + behind.slice(draw.int(1, 8));
    case 3:
      return before + behind.slice(0, draw.int(1, 30)) + behind;
    case 4:
      return before + flip(draw, behind);
    default:
      return before + draw.pick(SHARDS) + behind;
  }
}

/** One bit of the first byte. */
function flip(draw: Draw, text: string): string {
  if (text === '') return text;
  return String.fromCharCode(text.charCodeAt(0) ^ (1 << draw.int(0, 7))) + text.slice(1);
}
