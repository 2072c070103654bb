/** How long functions are, for the checks of `tidy.test.ts`. */
import { stripTypeScriptTypes } from 'node:module';
import { type Brackets, bracketsOf, lineAt, separate } from './tidy-scan.ts';

export type FunctionSpan = { readonly name: string; readonly line: number; readonly lines: number };

const CONTROL = /^(?:if|for|while|switch|catch|with|await)$/;

/** Every function that has a body in braces, with its length in lines from its head to its last brace. */
export function functionsOf(text: string): FunctionSpan[] {
  const { code } = separate(stripTypeScriptTypes(text));
  const pairs = bracketsOf(code);
  const spans: FunctionSpan[] = [];
  for (const [open, close] of pairs.closings) {
    if (code[open] !== '{') continue;
    const head = headOf(code, open, pairs);
    if (head === undefined) continue;
    const line = lineAt(code, head.start);
    spans.push({ name: head.name, line, lines: lineAt(code, close) - line + 1 });
  }
  return spans.sort((one, other) => one.line - other.line);
}

/** Where the head of the function begins whose body opens here; undefined if it is no body of a function. */
function headOf(code: string, open: number, pairs: Brackets): { start: number; name: string } | undefined {
  let end = lastInk(code, open);
  const isArrow = code.slice(end - 1, end + 1) === '=>';
  if (isArrow) end = lastInk(code, end - 1);
  const start = code[end] === ')' ? pairs.openings.get(end) : isArrow ? end : undefined;
  if (start === undefined) return undefined;
  const before = code.slice(0, code[end] === ')' ? start : start + 1).trimEnd();
  const word = /[\w$#]*$/.exec(before)?.[0] ?? '';
  if (!isArrow) return CONTROL.test(word) ? undefined : { start, name: word };
  const assigned = /([\w$]+)\s*[:=]\s*(?:async\s*)?$/.exec(before)?.[1];
  const outer = pairs.outer.get(start) ?? 0;
  const callee = /([\w$]+)\s*$/.exec(code.slice(0, outer))?.[1];
  return { start, name: assigned ?? callee ?? 'function' };
}

function lastInk(code: string, before: number): number {
  let at = before - 1;
  while (at > 0 && /\s/.test(code.charAt(at))) at -= 1;
  return at;
}
