/** Bodies in chunks: what is one, what is none, and that content comes out together and in order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BadAnswer } from '../../../src/io/http1/bad-answer.ts';
import { ChunkReader } from '../../../src/io/http1/chunks.ts';

/** @returns the content of all chunks in one piece, and where the body ended */
function read(text: string, reader = new ChunkReader()) {
  const piece = Buffer.from(text, 'latin1');
  const end = reader.read(piece, 0);
  return { content: piece.toString('latin1', reader.contentFrom, reader.contentTo), end, reader };
}

describe('chunks', () => {
  it('in one piece come out as one', () => {
    const text = '3\r\nabc\r\n1;x\r\nd\r\n00A\r\nefghijklmn\r\n0\r\n\r\nrest';
    const { content, end } = read(text);
    assert.equal(content, 'abcdefghijklmn');
    assert.equal(end, text.indexOf('rest'));
  });

  it('that are cut go on in the next piece', () => {
    const { content, end, reader } = read('5\r\nab');
    assert.deepEqual([content, end], ['ab', -1]);
    assert.equal(read('cde\r', reader).content, 'cde');
    assert.deepEqual([read('\n0\r\nX: y\r\n', reader).end, read('\r\n', reader).end], [-1, 2]);
    assert.deepEqual(reader.trailers, ['X', 'y']);
  });

  for (const line of ['1;a', '1;a=b', '1 ; a = "b\\"\xff" ;c', `0${'0'.repeat(100)}1`, '1;a="x;y"']) {
    it(`may have ${JSON.stringify(line)} for a size (RFC 9112 §7.1.1)`, () =>
      assert.equal(read(`${line}\r\nx\r\n0\r\n\r\n`).content, 'x'));
  }

  for (const text of [
    ...['\r\n', '-1\r\n', '0x1\r\n', ' 1\r\n', '1 \r\n', '1\n', '1\rx', 'g\r\n', '1;\r\n', '1;a=\r\n'],
    ...[
      '1;a="b\r\n',
      '1;a=\xff\r\n',
      '1;a\0\r\n',
      '1;a\n',
      '20000000000000\r\n',
      '1\r\nxx',
      '1\r\nx\n',
      '1\r\nx\r\r',
    ],
    ...['0\r\nX : y\r\n\r\n', '0\r\n X: y\r\n\r\n'],
  ]) {
    it(`are not ${JSON.stringify(text)}`, () => assert.throws(() => read(`${text}\r\n`), BadAnswer));
  }

  it('tell what came before a fault', () => {
    const reader = new ChunkReader();
    const piece = Buffer.from('3\r\nabc\r\nzz');
    assert.throws(() => reader.read(piece, 0), BadAnswer);
    assert.equal(piece.toString('latin1', reader.contentFrom, reader.contentTo), 'abc');
  });
});
