/**
 * What a value may be. Each leaf of the schema names one format with its limits; the three functions here say in
 * words what is right, find what is wrong, and read the text of a flag or variable.
 */

import { backendsFromTexts } from './backend-text.ts';
import { readBackends } from './backends.ts';
import { CERTIFICATES_EXPECTED, certificatesFromTexts, faultsInCertificates } from './certificates.ts';
import { isHost } from './hosts.ts';
import { isNumber, isWholeNumber, numberFromText, wholeNumberFromText } from './numbers.ts';

export type FormatSpec =
  | { readonly format: 'wholeNumber'; readonly min: number; readonly max: number }
  | { readonly format: 'decimal'; readonly min: number; readonly max: number }
  | { readonly format: 'trueOrFalse' }
  | { readonly format: 'host' }
  | { readonly format: 'folder' }
  | { readonly format: 'secret' }
  | { readonly format: 'optionalFile' }
  | { readonly format: 'choice'; readonly choices: readonly string[] }
  | { readonly format: 'choices'; readonly choices: readonly string[] }
  | { readonly format: 'requestPath' }
  | { readonly format: 'pathPatterns' }
  | { readonly format: 'certificates' }
  | { readonly format: 'backends' };

/** One thing wrong within a value: `at` is where (`''` for the whole, else such as `[1].weight`). */
export type Fault = { readonly at: string; readonly value: unknown; readonly expected: string };

const MAX_PATH_LENGTH = 1024;
/** Shorter ones could be guessed. */
const SECRET = /^[!-~]{16,200}$/;
const MAX_PATTERNS = 100;

/** @returns what a value of this format must be, as the end of a sentence that begins with the key. */
export function expectedBy(spec: FormatSpec): string {
  switch (spec.format) {
    case 'wholeNumber':
      return `must be a whole number from ${spec.min} to ${spec.max}`;
    case 'decimal':
      return `must be a number from ${spec.min} to ${spec.max}`;
    case 'trueOrFalse':
      return 'must be true or false';
    case 'folder':
      return 'must be the path of a folder, such as "./data/events"';
    case 'secret':
      return 'must be 16 to 200 visible ASCII characters without a space, as "openssl rand -hex 24" makes them, or ""';
    case 'optionalFile':
      return 'must be the path of a file, or "" for none';
    case 'host':
      return 'must be a host name or an IP address, such as "127.0.0.1", "::1" or "gpu-1.internal"';
    case 'choice':
      return `must be ${quoteAll(spec.choices, 'or')}`;
    case 'choices':
      return `must be a list without repeats, drawn from ${quoteAll(spec.choices, 'and')}`;
    case 'requestPath':
      return 'must be a path that begins with "/", without spaces or "#", such as "/health"';
    case 'pathPatterns':
      return `must be a list of 1 to ${MAX_PATTERNS} different paths, such as "/v1/*" or "/metrics"`;
    case 'certificates':
      return CERTIFICATES_EXPECTED;
    case 'backends':
      return 'must be a list of { "host", "port" } or { "url" } objects';
  }
}

/** @returns everything that is wrong with the value; an empty list when it is right. */
export function faultsIn(value: unknown, spec: FormatSpec): readonly Fault[] {
  switch (spec.format) {
    case 'wholeNumber':
      return isWholeNumber(value, spec.min, spec.max) ? [] : wrong(value, spec);
    case 'decimal':
      return isNumber(value, spec.min, spec.max) ? [] : wrong(value, spec);
    case 'trueOrFalse':
      return typeof value === 'boolean' ? [] : wrong(value, spec);
    case 'folder':
      return typeof value === 'string' && isPath(value) ? [] : wrong(value, spec);
    case 'secret':
      // What somebody meant to be secret is not shown, however wrong it is.
      return typeof value === 'string' && (value === '' || SECRET.test(value)) ? [] : wrong(undefined, spec);
    case 'optionalFile':
      return value === '' || (typeof value === 'string' && isPath(value)) ? [] : wrong(value, spec);
    case 'host':
      return typeof value === 'string' && isHost(value) ? [] : wrong(value, spec);
    case 'choice':
      return typeof value === 'string' && spec.choices.includes(value) ? [] : wrong(value, spec);
    case 'choices':
      return faultsInList(value, spec, (item) =>
        spec.choices.includes(item) ? undefined : `must be ${quoteAll(spec.choices, 'or')}`,
      );
    case 'requestPath':
      return typeof value === 'string' && isRequestPath(value) ? [] : wrong(value, spec);
    case 'pathPatterns':
      if (Array.isArray(value) && (value.length === 0 || value.length > MAX_PATTERNS))
        return wrong(value, spec);
      return faultsInList(value, spec, (item) =>
        isPathPattern(item)
          ? undefined
          : 'must be an exact path such as "/metrics" or a prefix that ends in "/*" such as "/v1/*"',
      );
    case 'certificates':
      return faultsInCertificates(value);
    case 'backends':
      return readBackends(value).faults;
  }
}

/**
 * Reads the texts of a flag (one per use) or of a variable (one, or one per backend). A text that is not of the right form is handed
 * on as it is, so that {@link faultsIn} refuses it and shows what the operator wrote.
 */
export function fromTexts(texts: readonly string[], spec: FormatSpec): unknown {
  const text = texts.at(-1) ?? '';
  switch (spec.format) {
    case 'wholeNumber':
      return wholeNumberFromText(text);
    case 'decimal':
      return numberFromText(text);
    case 'trueOrFalse':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'choices':
    case 'pathPatterns':
      return splitList(text, ',');
    case 'certificates':
      return certificatesFromTexts(texts);
    case 'backends':
      return backendsFromTexts(texts);
    case 'host':
    case 'folder':
    case 'secret':
    case 'optionalFile':
    case 'choice':
    case 'requestPath':
      return text;
  }
}

function wrong(value: unknown, spec: FormatSpec): Fault[] {
  return [{ at: '', value, expected: expectedBy(spec) }];
}

function faultsInList(
  value: unknown,
  spec: FormatSpec,
  check: (item: string) => string | undefined,
): readonly Fault[] {
  if (!Array.isArray(value)) return wrong(value, spec);
  const seen = new Set<unknown>();
  const faults: Fault[] = [];
  for (const [index, item] of value.entries()) {
    const expected = typeof item === 'string' ? check(item) : 'must be a text in double quotes';
    if (expected !== undefined) faults.push({ at: `[${index}]`, value: item, expected });
    else if (seen.has(item))
      faults.push({ at: `[${index}]`, value: item, expected: 'must not stand in the list twice' });
    seen.add(item);
  }
  return faults;
}

/** No system takes a path that holds a NUL. */
function isPath(path: string): boolean {
  return path.trim() !== '' && path.length <= MAX_PATH_LENGTH && !path.includes('\0');
}

function isRequestPath(path: string): boolean {
  return path.length <= MAX_PATH_LENGTH && /^\/[!-~]*$/.test(path) && !path.includes('#');
}

function isPathPattern(pattern: string): boolean {
  const path = pattern.endsWith('/*') ? pattern.slice(0, -1) : pattern;
  return isRequestPath(path) && !/[?*]/.test(path);
}

/** @returns the items between the separators, without the space around them and without empty ones. */
export function splitList(text: string, separator: string): string[] {
  return text
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function quoteAll(words: readonly string[], conjunction: 'and' | 'or'): string {
  const quoted = words.map((word) => `"${word}"`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} ${conjunction} ${last}`;
}
