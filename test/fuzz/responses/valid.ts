/** Answers as they should be, one of each framing, with the marker of their case; to cut short and to damage. */
import type { Draw } from '../random.ts';
import { chunked } from '../requests/valid.ts';

/** Of one length for all markers, so that every offset can be numbered. */
export const SHAPES: readonly ((marker: string) => string)[] = [
  (marker) => `HTTP/1.1 200 OK\r\nContent-Length: 23\r\nX-A: b\r\n\r\n${marker}0123456789`,
  (marker) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n${marker}\r\n5;a=b\r\n01234\r\n0\r\n\r\n`,
  (marker) =>
    `HTTP/1.1 201 Made\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n${marker}\r\n0\r\nX-Sum: ${marker}\r\n\r\n`,
  (marker) =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n15\r\ndata: ${marker}\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n`,
  (marker) =>
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n${marker}`,
  (marker) => `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n${marker} until the end`,
  (marker) => `HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ${marker}\n\n`,
  (marker) => `HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 13\r\n\r\n${marker}`,
  (marker) => `HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 13\r\n\r\n${marker}`,
  () => 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
  () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
];

/** One with a body of up to so many bytes, in chunks or with a length. */
export function validAnswer(draw: Draw, marker: string, most: number): string {
  if (draw.chance(0.6)) return draw.pick(SHAPES)(marker);
  const body = `${marker}${'z'.repeat(draw.pick([0, 10, 1000, most]))}`;
  const head = `HTTP/1.1 200 OK\r\nX-A: b\r\n`;
  return draw.chance(0.5)
    ? `${head}Content-Length: ${body.length}\r\n\r\n${body}`
    : `${head}Transfer-Encoding: chunked\r\n\r\n${chunked(draw, body)}`;
}
