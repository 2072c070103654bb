/**
 * Removes a `100 Continue` from what a backend sends. Reprise never asks a backend for one, but some send it all the same, and
 * a client may simply discard it (RFC 9110 §15.2.1); undici treats it as an error and destroys the socket. Only the bytes
 * before the head of the final answer are looked at.
 */
import type { Socket } from 'node:net';

/** A request whose answer has not begun for undici yet. */
export type Expecting = {
  /** The backend has begun to answer, though undici may not have heard of it. */
  onResponseStarted(): void;
};

export type Sieve = {
  /** A request is sent: what the socket reads next is looked at, until the head of its final answer begins. */
  expect(request: Expecting): void;
};

const START = Buffer.from('HTTP/1.x 1');
/** The minor version, which may be any digit. */
const VERSION_AT = START.indexOf('x');
const STATUS_AT = START.length - 1;
const ONE = START[STATUS_AT];
const HEAD_END = '\r\n\r\n';
/** A longer head is left to undici, which refuses it. */
const MAX_HEAD_BYTES = 16 * 1024;
const INTERIM_HEAD = /^HTTP\/1\.\d (1\d\d)(?: [^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n$/;

/** From here on `socket` reads as if no 100 had come in front of an answer. */
export function siftContinues(socket: Socket): Sieve {
  let expecting: Expecting | undefined;
  let held: Buffer | undefined;
  const readOn: (size?: number) => Buffer | null = socket.read.bind(socket);

  const sift = (piece: Buffer, request: Expecting): Buffer => {
    let rest = held === undefined ? piece : Buffer.concat([held, piece]);
    held = undefined;
    const passed: Buffer[] = [];
    while (rest.length > 0) {
      const { kind, end } = look(rest);
      if (kind === 'other') {
        expecting = undefined;
        passed.push(rest);
        break;
      }
      // Told even for half a head: a connection lost now has carried part of an answer, so the request may be at work.
      request.onResponseStarted();
      if (kind === 'half') {
        held = rest;
        break;
      }
      if (kind === 'interim') passed.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return passed.length === 1 ? (passed[0] ?? rest) : Buffer.concat(passed);
  };

  socket.read = (size?: number) => {
    for (;;) {
      const piece = readOn(size);
      if (piece === null || expecting === undefined) return piece;
      const passed = sift(piece, expecting);
      if (passed.length > 0) return passed;
    }
  };
  return {
    expect(request) {
      expecting = request;
    },
  };
}

type Look = {
  /** Part of what may be an interim head, a whole interim head, a 100, or anything else, which ends the looking. */
  readonly kind: 'half' | 'interim' | 'continue' | 'other';
  /** Where the head ends, if it is whole. */
  readonly end: number;
};

const OTHER: Look = { kind: 'other', end: 0 };

function look(bytes: Buffer): Look {
  if (!beginsInterim(bytes)) return OTHER;
  const at = bytes.indexOf(HEAD_END);
  if (at === -1) return bytes.length > MAX_HEAD_BYTES ? OTHER : { kind: 'half', end: 0 };
  const end = at + HEAD_END.length;
  if (end > MAX_HEAD_BYTES) return OTHER;
  const status = INTERIM_HEAD.exec(bytes.toString('latin1', 0, end))?.[1];
  // What undici's parser might read differently is left to it; and after a 101 it is not HTTP any more.
  if (status === undefined || status === '101') return OTHER;
  return { kind: status === '100' ? 'continue' : 'interim', end };
}

/** Whether the bytes are the beginning of an answer 1xx, as far as they go. */
function beginsInterim(bytes: Buffer): boolean {
  // The first digit of the status rules out most answers at once.
  if (bytes.length > STATUS_AT && bytes[STATUS_AT] !== ONE) return false;
  const length = Math.min(bytes.length, START.length);
  for (let at = 0; at < length; at += 1) if (at !== VERSION_AT && bytes[at] !== START[at]) return false;
  return true;
}
