/**
 * The id of a request whose client has given it none: 16 random bytes in hexadecimal, as nginx' `$request_id`.
 *
 * Not `randomUUID`, whose text is put together of many pieces: each who writes it, the event log first of all, would have to
 * join them, and what JSON makes of a line takes twice as long then.
 */
import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
/** Drawn for many ids at once, which costs hardly more than for one. */
const pool = Buffer.alloc(ID_BYTES * 256);
let used = pool.length;

/** @returns 32 hexadecimal digits */
export function createRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('hex', used - ID_BYTES, used);
}
