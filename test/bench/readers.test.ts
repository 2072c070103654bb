/** What the benchmark checks streams with: bytes in pieces of any size, and bytes that were lost or changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkFrame, createEventReader, DONE_FRAME } from '../../bench/compare/events.ts';
import { createMessageReader } from '../../bench/compare/message-reader.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked';
const STREAM = `${HEAD}\r\n\r\n${chunkFrame(1)}${chunkFrame(20_001)}${DONE_FRAME}`;
const FIXED = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

/** @returns what is read of bytes that come in pieces of this size */
function read(text: string, size: number): string[] {
  const seen: string[] = [];
  const takeEvents = createEventReader({
    chunk: (sentAtUs) => seen.push(`chunk ${sentAtUs}`),
    done: () => seen.push('done'),
    wrong: (event) => seen.push(`wrong ${event.length}`),
  });
  const take = createMessageReader({
    head: (head) => seen.push(head),
    body: takeEvents,
    end: () => seen.push('end'),
  });
  for (let at = 0; at < text.length; at += size) take(text.slice(at, at + size));
  return seen;
}

test('a stream is read alike in pieces of any size, and one behind another', () => {
  const expected = [HEAD, 'chunk 1', 'chunk 20001', 'done', 'end'];
  for (let size = 1; size <= STREAM.length; size += 1) {
    assert.deepEqual(read(STREAM + STREAM, size), [...expected, ...expected], `pieces of ${size}`);
  }
});

test('messages of fixed length, and those without a body, end where they should', () => {
  const request = 'GET /health HTTP/1.1\r\nHost: a';
  const text = `${FIXED}${FIXED}${request}\r\n\r\n`;
  const fixed = [FIXED.split('\r\n\r\n')[0], 'end'];
  for (let size = 1; size <= text.length; size += 1) {
    assert.deepEqual(read(text, size), [...fixed, ...fixed, request, 'end'], `pieces of ${size}`);
  }
});

test('a chunk of which a byte was lost or changed is not taken for one', () => {
  const chunk = chunkFrame(1).split('\r\n')[1] ?? '';
  const seen: string[] = [];
  const take = createEventReader({
    chunk: () => seen.push('chunk'),
    done: () => seen.push('done'),
    wrong: () => seen.push('wrong'),
  });
  for (const text of [chunk, chunk.replace('x', ''), chunk.replace('x', 'y'), 'data: [DONE]\n\n']) take(text);
  assert.deepEqual(seen, ['chunk', 'wrong', 'wrong', 'done']);
});

test('bytes that are not in the chunked coding are refused', () => {
  assert.throws(() => read(`${HEAD}\r\n\r\nnothing\r\n`, 7), /not the size of a chunk/);
});
