/**
 * Finds where a text stops being JSON. V8 names a position for some errors and none for the most common
 * (`Unexpected token ']', "[1,]" is not valid JSON`), and its words change with the version, so this walks the
 * grammar of RFC 8259 itself. It keeps its own stack, hence depth cannot overflow, and it limits that depth.
 */

/** `offset` counts UTF-16 units from 0. */
export type JsonFault = { readonly offset: number; readonly expected: string };

type Token = 'open' | 'close' | 'comma' | 'colon' | 'string' | 'scalar';
type Closing = '}' | ']' | undefined;
/** What may come next. `first…` means directly after the opening bracket, where the closing one may stand too. */
type Expecting = 'value' | 'firstItem' | 'firstKey' | 'key' | 'colon' | 'commaOrEnd';

const MAX_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;

const TOKENS: ReadonlyMap<string, Token> = new Map([
  ['{', 'open'],
  ['[', 'open'],
  ['}', 'close'],
  [']', 'close'],
  [',', 'comma'],
  [':', 'colon'],
  ['"', 'string'],
]);

/** The tokens that may come, and what is expected after each. After open and comma it depends on the bracket. */
const GRAMMAR: Record<Expecting, Partial<Record<Token, Expecting>>> = {
  value: { open: 'firstItem', string: 'commaOrEnd', scalar: 'commaOrEnd' },
  firstItem: { open: 'firstItem', string: 'commaOrEnd', scalar: 'commaOrEnd', close: 'commaOrEnd' },
  firstKey: { string: 'colon', close: 'commaOrEnd' },
  key: { string: 'colon' },
  colon: { colon: 'value' },
  commaOrEnd: { comma: 'value', close: 'commaOrEnd' },
};

/** @returns the first place at which the text is not JSON (or nested too deeply), or undefined if it is JSON. */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: string[] = [];
  let expecting: Expecting = 'value';
  let at = 0;

  for (;;) {
    at = matchEnd(SPACE, text, at) ?? at;
    const closing = closingOf(open.at(-1));
    const char = text[at];
    if (char === undefined) {
      if (expecting === 'commaOrEnd' && closing === undefined) return undefined;
      const expected = `the text ends too early; ${wanted(expecting, closing)}`;
      return { offset: text.trimEnd().length, expected };
    }
    const token = TOKENS.get(char) ?? 'scalar';
    const next: Expecting | undefined = GRAMMAR[expecting][token];
    const misplaced =
      next === undefined ||
      (token === 'close' && char !== closing) ||
      (token === 'comma' && closing === undefined);
    if (misplaced) return unexpected(at, char, expecting, closing);

    const end = endOf(token, text, at);
    if (end === undefined) return unexpected(at, char, expecting, closing);
    if (typeof end !== 'number') return end;
    if (token === 'open' && open.push(char) > MAX_DEPTH) {
      return { offset: at, expected: `must not be nested more than ${MAX_DEPTH} levels deep` };
    }
    if (token === 'close') open.pop();
    if (token === 'open' && char === '{') expecting = 'firstKey';
    else if (token === 'comma' && closing === '}') expecting = 'key';
    else expecting = next;
    at = end;
  }
}

function closingOf(bracket: string | undefined): Closing {
  if (bracket === undefined) return undefined;
  return bracket === '{' ? '}' : ']';
}

function endOf(token: Token, text: string, at: number): number | JsonFault | undefined {
  if (token === 'string') return endOfString(text, at);
  return token === 'scalar' ? matchEnd(SCALAR, text, at) : at + 1;
}

function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function endOfString(text: string, start: number): number | JsonFault {
  let at = start + 1;
  for (;;) {
    const char = text[at];
    if (char === undefined) return { offset: start, expected: 'the string is not closed; expected a "' };
    if (char === '"') return at + 1;
    if (char < ' ') {
      return char === '\n' || char === '\r'
        ? { offset: start, expected: 'the string is not closed on its line; expected a "' }
        : {
            offset: at,
            expected: 'a control character in a string must be written as an escape such as \\t',
          };
    }
    if (char !== '\\') {
      at += 1;
      continue;
    }
    const end = matchEnd(ESCAPE, text, at);
    if (end === undefined) {
      return {
        offset: at,
        expected: String.raw`after \ expected one of " \ / b f n r t or u with 4 hex digits`,
      };
    }
    at = end;
  }
}

function unexpected(offset: number, char: string, expecting: Expecting, closing: Closing): JsonFault {
  // `key` and `value` differ from their `first…` forms in that a comma or colon stands before.
  if (char === closing && (expecting === 'key' || (expecting === 'value' && closing === ']'))) {
    return { offset, expected: `a comma must not stand directly before ${char}` };
  }
  const hint =
    char === '/' || (char === '#' && expecting !== 'colon')
      ? ' (JSON has no comments)'
      : char === "'"
        ? ' (a string stands in double quotes)'
        : '';
  return { offset, expected: `${wanted(expecting, closing)}${hint}` };
}

function wanted(expecting: Expecting, closing: Closing): string {
  switch (expecting) {
    case 'value':
      return 'expected a value';
    case 'firstItem':
      return 'expected a value or ]';
    case 'key':
      return 'expected a key in double quotes';
    case 'firstKey':
      return 'expected a key in double quotes or }';
    case 'colon':
      return 'expected a colon after the key';
    case 'commaOrEnd':
      return closing === undefined
        ? 'expected nothing more after the value'
        : `expected a comma or ${closing}`;
  }
}
