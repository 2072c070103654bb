/**
 * Memory for reading request bodies ahead of backends that take them slowly. A connection that is not read from does
 * not tell that its client has left: the end stands behind the bytes that nobody reads. So what is left of a body is
 * read even though nobody wants it yet, within one limit for all bodies together.
 */

/** What one body has in memory, in order. */
export type Shelf = {
  put(piece: Buffer): void;
  /** @returns the oldest piece */
  take(): Buffer | undefined;
  readonly isEmpty: boolean;
  /**
   * Whether the body may be read on: as long as it has less here than what is free. So one body alone may take half of
   * the memory, n bodies an equal part each, and there is always some left for the next.
   */
  mayGrow(): boolean;
  clear(): void;
};

export type ReadAhead = { shelf(): Shelf };

/** @param limitBytes read each time, so that a reload counts at once */
export function createReadAhead(limitBytes: () => number): ReadAhead {
  let heldByAll = 0;
  return {
    shelf() {
      const pieces: Buffer[] = [];
      let held = 0;
      const count = (bytes: number) => {
        held += bytes;
        heldByAll += bytes;
      };
      return {
        put(piece) {
          pieces.push(piece);
          count(piece.length);
        },
        take() {
          const piece = pieces.shift();
          count(-(piece?.length ?? 0));
          return piece;
        },
        get isEmpty() {
          return pieces.length === 0;
        },
        mayGrow: () => held === 0 || held < limitBytes() - heldByAll,
        clear() {
          pieces.length = 0;
          count(-held);
        },
      };
    },
  };
}
