/**
 * What the mock "generates": the same words for the same count, beginning with the mock's name, so that whoever
 * reads an answer sees which backend gave it.
 */

export type Tokens = {
  readonly text: string;
  /** Each token as a JSON string literal, ready to be put into a chunk. */
  readonly quoted: readonly string[];
};

const WORDS = ['the', 'quick', 'brown', 'fox', 'jumps', 'over', 'the', 'lazy', 'dog', 'and'];

/** A generator of answers for the mock called `name`. The last answer is kept, as most requests ask for the same. */
export function createTokenSource(name: string): (count: number) => Tokens {
  let last = makeTokens(name, 0);
  return (count) => {
    if (last.quoted.length !== count) last = makeTokens(name, count);
    return last;
  };
}

function makeTokens(name: string, count: number): Tokens {
  const tokens: string[] = [];
  for (let i = 0; i < count; i++) tokens.push(i === 0 ? `${name}:` : ` ${WORDS[(i - 1) % WORDS.length]}`);
  return { text: tokens.join(''), quoted: tokens.map((token) => JSON.stringify(token)) };
}
