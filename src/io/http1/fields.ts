/** Field lines of an HTTP/1.1 message, as a flat list of names and values (RFC 9112 §5). */
import { BadAnswer } from './bad-answer.ts';

/**
 * A token, a colon, and a value without control characters but tabs (RFC 9110 §5.5, §5.6.2). The value does not begin with a
 * blank, so that there is one way only to read blanks: else a long row of them could be read in as many ways as there are.
 */
const FIELD_LINE =
  /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)\r\n/y;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Reads lines, each with its line break, from `from` to the end of `text`, in which each character stands for one byte.
 *
 * @throws BadAnswer for anything that is no field line, such as a line that is folded (RFC 9112 §5.2)
 */
export function parseFieldLines(text: string, from: number): string[] {
  const list: string[] = [];
  FIELD_LINE.lastIndex = from;
  while (FIELD_LINE.lastIndex < text.length) {
    const line = FIELD_LINE.exec(text);
    if (line === null) throw new BadAnswer('headerLine');
    list.push(line[1] ?? '', withoutSpaceBehind(line[2] ?? ''));
  }
  return list;
}

function withoutSpaceBehind(value: string): string {
  let end = value.length;
  while (end > 0 && (value.charCodeAt(end - 1) === SPACE || value.charCodeAt(end - 1) === TAB)) end -= 1;
  return end === value.length ? value : value.slice(0, end);
}
