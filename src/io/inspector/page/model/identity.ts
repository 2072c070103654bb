/**
 * How a backend is told from the others: by a letter, a colour and a pattern, all by its place in the list. The letter
 * alone suffices; colours come round after eight, and the pattern then changes.
 */

export type Identity = {
  readonly letter: string;
  /** 0 to 7; the style sheet has the colours. */
  readonly colour: number;
  /** 0 is plain. */
  readonly pattern: number;
};

export type Identities = ReadonlyMap<string, Identity>;

const COLOURS = 8;
const PATTERNS = 4;
const LETTERS = 26;

/** @param ids in the order of the config, those that came later behind */
export function identitiesOf(ids: readonly string[]): Identities {
  return new Map(ids.map((id, index) => [id, identityAt(index)]));
}

/** @returns A to Z, then AA, AB and so on */
function identityAt(index: number): Identity {
  const last = String.fromCharCode(65 + (index % LETTERS));
  const letter = index < LETTERS ? last : `${String.fromCharCode(64 + Math.floor(index / LETTERS))}${last}`;
  return { letter, colour: index % COLOURS, pattern: Math.floor(index / COLOURS) % PATTERNS };
}

const NOBODY: Identity = { letter: '?', colour: 0, pattern: 0 };

export function identityOf(identities: Identities, id: string): Identity {
  return identities.get(id) ?? NOBODY;
}
