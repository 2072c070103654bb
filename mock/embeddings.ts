/**
 * `POST /v1/embeddings`: small vectors that depend on nothing but the input, as numbers or, as the official client
 * may ask, as base64 of little-endian floats.
 */

const DEFAULT_DIMENSIONS = 8;
const DIMENSIONS_MAX = 4096;

/** The response body for a parsed request body. */
export function embeddingsBody(request: Readonly<Record<string, unknown>>, model: string): string {
  const asked = request.dimensions;
  const sound = typeof asked === 'number' && Number.isInteger(asked) && asked >= 1 && asked <= DIMENSIONS_MAX;
  const dimensions = sound ? asked : DEFAULT_DIMENSIONS;
  let promptTokens = 0;
  const data = inputsOf(request.input).map((input, index) => {
    const text = typeof input === 'string' ? input : JSON.stringify(input);
    promptTokens += Math.ceil(text.length / 4);
    const vector = embeddingOf(text, dimensions);
    const embedding = request.encoding_format === 'base64' ? base64Of(vector) : vector;
    return { object: 'embedding', index, embedding };
  });
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  return JSON.stringify({ object: 'list', data, model, usage });
}

/** The vector for `text`: multiples of 1/128 in [-1, 1), which a 32-bit float holds exactly. */
export function embeddingOf(text: string, dimensions: number): number[] {
  // FNV-1a for the seed, then xorshift32: http://www.isthe.com/chongo/tech/comp/fnv/
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  const vector: number[] = [];
  for (let i = 0; i < dimensions; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    vector.push(((state & 0xff) - 128) / 128);
  }
  return vector;
}

/** A list of numbers is one input (its tokens), a list of anything else is many. */
function inputsOf(input: unknown): readonly unknown[] {
  if (!Array.isArray(input)) return [input ?? ''];
  return typeof input[0] === 'number' ? [input] : input;
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4);
  });
  return bytes.toString('base64');
}
