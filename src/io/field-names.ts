/**
 * Sets of field names that every header of every message is looked up in. Most headers are in none of them, and that is
 * to be seen without making a copy in lower case: by the length of the name and its first letter.
 */

export type FieldNames = {
  /** @param name in any case (RFC 9110 §5.1) */
  has(name: string): boolean;
};

/** Names as long as this, or longer, are looked up as they are. */
const LENGTHS = 32;
/** The low bits of a letter are the same in either case. */
const LETTER_BITS = 0x1f;

/** @param names in lower case */
export function fieldNames(names: readonly string[]): FieldNames {
  const known = new Set(names);
  const shapes = new Uint8Array(LENGTHS * (LETTER_BITS + 1));
  for (const name of names) shapes[shapeOf(name)] = 1;
  return {
    has: (name) => (name.length >= LENGTHS || shapes[shapeOf(name)] === 1) && known.has(name.toLowerCase()),
  };
}

function shapeOf(name: string): number {
  return name.length * (LETTER_BITS + 1) + (name.charCodeAt(0) & LETTER_BITS);
}
