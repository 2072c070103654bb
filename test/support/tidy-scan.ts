/**
 * A scanner for the checks of `tidy.test.ts`: it tells code from comments, blanks what is inside strings, and pairs
 * brackets. TypeScript 7 has no stable API of its own for that. It relies on the code being formatted.
 */

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const WORD = /[\w$]+/y;
/** A template up to its end or to its next `${`. */
const TEMPLATE = /(?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)/sy;
/** After these words, and after most signs, a slash begins a regular expression and does not divide. */
const BEFORE_REGEX = /^(?:return|typeof|case|of|in|await|yield|throw|delete|void|else|do|default)$/;

/**
 * @returns twice the text, with all offsets kept: one with the comments and the insides of strings, templates and
 * regular expressions blanked, one with everything but the comments blanked
 */
export function separate(text: string): { code: string; comments: string } {
  let code = '';
  let comments = '';
  let at = 0;
  let before = '';
  /** For each template that is open, how many braces are open inside its `${`. */
  const templates: number[] = [];
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (piece: string, asCode: string, asComment = blank(piece)) => {
    code += asCode;
    comments += asComment;
    at += piece.length;
  };
  const pushTemplate = () => {
    const piece = take(TEMPLATE) ?? text.slice(at);
    push(piece, hollow(piece, 0, piece.endsWith('${') ? 2 : 1));
    if (piece.endsWith('${')) templates.push(0);
    before = piece.endsWith('${') ? '{' : '`';
  };
  const pushSign = (sign: string) => {
    push(sign, sign);
    if (sign.trim() !== '') before = sign;
    const depth = templates.pop();
    if (sign === '`') {
      if (depth !== undefined) templates.push(depth);
      pushTemplate();
    } else if (depth !== undefined) {
      if (sign === '}' && depth === 0) pushTemplate();
      else templates.push(depth + (sign === '{' ? 1 : sign === '}' ? -1 : 0));
    }
  };
  while (at < text.length) {
    const comment = take(COMMENT);
    const string = comment ?? take(STRING);
    const word = take(WORD);
    const regex = string === undefined && mayBeginRegex(before) ? take(REGEX) : undefined;
    if (comment !== undefined) push(comment, blank(comment), comment);
    else if (string !== undefined) {
      push(string, hollow(string, 1, 1));
      before = "'";
    } else if (regex !== undefined) {
      push(regex, hollow(regex, 1, 1));
      before = '/';
    } else if (word !== undefined) {
      push(word, word);
      before = word;
    } else pushSign(text.charAt(at));
  }
  return { code, comments };
}

function mayBeginRegex(before: string): boolean {
  return /^\w/.test(before) ? BEFORE_REGEX.test(before) : !/[)\]'`$]/.test(before);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Blanks a literal but for so many of its first and last characters. */
function hollow(text: string, first: number, last: number): string {
  const end = Math.max(first, text.length - last);
  return text.slice(0, first) + blank(text.slice(first, end)) + text.slice(end);
}

export type Brackets = {
  /** From each opening bracket to its closing one, and the other way round. */
  readonly closings: ReadonlyMap<number, number>;
  readonly openings: ReadonlyMap<number, number>;
  /** From each opening bracket to the one around it. */
  readonly outer: ReadonlyMap<number, number>;
};

/** @param code as `separate` returns it */
export function bracketsOf(code: string): Brackets {
  const closings = new Map<number, number>();
  const openings = new Map<number, number>();
  const outer = new Map<number, number>();
  const open: number[] = [];
  for (const { index, 0: sign } of code.matchAll(/[()[\]{}]/g)) {
    if ('([{'.includes(sign)) {
      outer.set(index, open.at(-1) ?? 0);
      open.push(index);
    } else {
      const start = open.pop() ?? 0;
      closings.set(start, index);
      openings.set(index, start);
    }
  }
  return { closings, openings, outer };
}
