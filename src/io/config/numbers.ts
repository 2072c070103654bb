/**
 * Numbers within limits, and their plain decimal text. Strict on purpose: convict's own `parseInt` would
 * make 80 of "80abc".
 */

/** @returns whether the value is a number (not a text) without fraction, from `min` to `max`, both included. */
export function isWholeNumber(value: unknown, min: number, max: number): value is number {
  return isNumber(value, min, max) && Number.isInteger(value);
}

/** @returns whether the value is a number (not a text) from `min` to `max`, both included. */
export function isNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

/** @returns the number that a plain decimal text stands for; any other text as it is, for the format to refuse. */
export function wholeNumberFromText(text: string): number | string {
  return /^-?(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

/** The same for a number that may have a fraction, such as `0.25`. */
export function numberFromText(text: string): number | string {
  return /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$/.test(text) ? Number(text) : text;
}
