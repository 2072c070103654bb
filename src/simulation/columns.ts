/**
 * Numbers and words by number, a few bytes each: what is kept of every entry of a long log has to be small. A column
 * grows in pieces, so that nothing is copied, and numbers that never come take no room.
 */

type Piece = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/** Every place holds 0 until it is set. */
export type Column = {
  get(index: number): number;
  set(index: number, value: number): void;
};

/** A power of two. */
const PIECE_LENGTH = 8192;

/**
 * @param create makes a piece of so many numbers, which decides what fits into them
 * @returns a column whose indices are whole numbers from 0 up
 */
export function createColumn(create: (length: number) => Piece): Column {
  const pieces = new Map<number, Piece>();
  let [lastPlace, last]: [number, Piece | undefined] = [-1, undefined];
  const pieceAt = (index: number): Piece | undefined => {
    const place = Math.floor(index / PIECE_LENGTH);
    if (place !== lastPlace || last === undefined) {
      lastPlace = place;
      last = pieces.get(place);
    }
    return last;
  };
  return {
    get: (index) => pieceAt(index)?.[index % PIECE_LENGTH] ?? 0,
    set(index, value) {
      let piece = pieceAt(index);
      if (piece === undefined) {
        piece = create(PIECE_LENGTH);
        pieces.set(lastPlace, piece);
        last = piece;
      }
      piece[index % PIECE_LENGTH] = value;
    },
  };
}

/** For each of many one of few words. */
export type Words = {
  get(index: number): string | undefined;
  set(index: number, word: string): void;
};

export function createWords(): Words {
  const numbers = createColumn((length) => new Uint32Array(length));
  const intern = createInterner();
  return {
    get: (index) => intern.words[numbers.get(index) - 1],
    set: (index, word) => numbers.set(index, intern.numberOf(word)),
  };
}

/** Numbers words from 1 up, the same word by the same number. */
export function createInterner(): { readonly words: readonly string[]; numberOf(word: string): number } {
  const known = new Map<string, number>();
  const words: string[] = [];
  return {
    words,
    numberOf(word) {
      let number = known.get(word);
      if (number === undefined) {
        number = words.push(word);
        known.set(word, number);
      }
      return number;
    },
  };
}
