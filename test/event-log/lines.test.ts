/** Lines as they are written, byte by byte, against the same text put together the plain way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { decodeLine, mostBytesOf, writeLine } from '../../src/io/event-log/lines.ts';

const EDGES = [0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 1e9 - 1, 1e9, Number.MAX_SAFE_INTEGER];
/** Where a line begins within the bytes, which is not always at their beginning. */
const START = 3;

function written(json: string, n: number): string {
  const bytes = Buffer.alloc(START + mostBytesOf(json), 0xff);
  return bytes.toString('utf8', START, writeLine(bytes, START, json, n));
}

function plain(json: string, n: number): string {
  const covered = `${json.slice(0, -1)},"n":${n}`;
  return `${covered},"crc":${crc32(covered)}}\n`;
}

describe('a line', () => {
  it('has its number and a CRC of all before it, whatever they are', () => {
    for (const n of EDGES) assert.equal(written('{"v":1}', n), plain('{"v":1}', n));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), fc.maxSafeNat(), (path, n) => {
        const json = JSON.stringify({ v: 1, path });
        assert.equal(written(json, n), plain(json, n));
      }),
    );
  });

  it('is read back as what was written', () => {
    const json = JSON.stringify({ v: 1, type: 'log.gap', reason: 'ä"\u2028😀' });
    assert.deepEqual(decodeLine(written(json, 12).trimEnd()), { ok: true, line: JSON.parse(json), n: 12 });
  });
});
