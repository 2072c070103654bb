/**
 * Writing a body piece by piece: at the scripted pace, never faster than the peer reads, and broken off where a
 * fault says so. Without a gap there is no timer, and all that the peer's window takes leaves in one turn.
 */
import type { ServerResponse } from 'node:http';
import type { BreakFault } from './faults.ts';

export type Piece = string | Buffer;

export type Pace = {
  /** Pause between two pieces; null for none, 0 for one turn of the event loop. */
  readonly gapMs: number | null;
  /** Where to break off; null for nowhere. */
  readonly breakFault: BreakFault | null;
};

/** How a body ended: complete, left by the peer, or broken off as the fault asked (after all before it was flushed). */
export type BodyEnd = 'complete' | 'gone' | 'broken';

/** Writes `pieces` and ends the response, unless the peer leaves or the fault's place is reached. */
export async function writePieces(
  response: ServerResponse,
  pieces: Iterable<Piece>,
  pace: Pace,
): Promise<BodyEnd> {
  const breakAt = pace.breakFault?.afterPieces ?? Number.POSITIVE_INFINITY;
  let written = 0;
  for (const piece of pieces) {
    if (written >= breakAt) return (await flushed(response)) ? 'broken' : 'gone';
    if (written > 0 && pace.gapMs !== null && !(await pause(response, pace.gapMs))) return 'gone';
    if (!response.write(piece) && !(await drained(response))) return 'gone';
    written++;
  }
  if (response.destroyed) return 'gone';
  response.end();
  return 'complete';
}

/** Cuts pieces into single bytes, for the slow drip. */
export function* byteByByte(pieces: Iterable<Piece>): Generator<Buffer> {
  for (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1);
  }
}

/** Waits for `waitMs`, less if the peer leaves; resolves to whether the peer is still there. */
export function pause(response: ServerResponse, waitMs: number): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    if (waitMs === 0) {
      setImmediate(() => resolve(!response.destroyed));
      return;
    }
    const onClose = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      response.off('close', onClose);
      resolve(true);
    }, waitMs);
    response.once('close', onClose);
  });
}

/** Resolves when the response is over, whoever ended it. */
export function gone(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => response.once('close', () => resolve()));
}

/** Resolves to true when the peer has read enough for more to be written, to false when it has left. */
function drained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onDrain = () => {
      response.off('close', onClose);
      resolve(true);
    };
    const onClose = () => {
      response.off('drain', onDrain);
      resolve(false);
    };
    response.once('drain', onDrain);
    response.once('close', onClose);
  });
}

/** Resolves when all that was written is with the kernel, so that a reset takes nothing back that was promised. */
function flushed(response: ServerResponse): Promise<boolean> {
  const { socket } = response.req;
  if (response.destroyed) return Promise.resolve(false);
  response.flushHeaders();
  return new Promise((resolve) => {
    const onClose = () => resolve(false);
    response.once('close', onClose);
    socket.write('', () => {
      response.off('close', onClose);
      resolve(!response.destroyed);
    });
  });
}
