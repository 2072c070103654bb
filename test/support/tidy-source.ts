/** Reads a TypeScript file as far as the checks of `tidy.test.ts` need it: what it imports, and what it exports. */
import { posix } from 'node:path';
import { bracketsOf, lineAt, separate } from './tidy-scan.ts';

export type Source = {
  /** From the root of the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the insides of strings and regular expressions blanked; offsets are kept. */
  readonly code: string;
  /** The text with everything but the comments blanked; offsets are kept. */
  readonly comments: string;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
};

export type Import = {
  readonly line: number;
  /** As it is written: a package, `node:fs`, `./near.ts`. */
  readonly specifier: string;
  /** The path of the file meant, if it is one of ours. */
  readonly path: string | undefined;
  /** Whether the whole statement is `import type` or `export type`. */
  readonly typeOnly: boolean;
  /** The names taken; `*` for all of them. */
  readonly names: readonly string[];
};

export type Export = {
  readonly line: number;
  readonly name: string;
  readonly kind: 'type' | 'value';
  /** The code of the declaration as others see it: without the body of a function. */
  readonly face: string;
};

export function readSource(path: string, text: string): Source {
  const { code, comments } = separate(text);
  return {
    path,
    text,
    code,
    comments,
    imports: importsOf(path, text, code),
    exports: exportsOf(path, code),
  };
}

/** The name of the package in a specifier, or undefined if it means a file or a part of Node. */
export function packageOf(specifier: string): string | undefined {
  if (/^(?:\.|node:)/.test(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

const IMPORTS = [
  /^(?:import|export)\s(?<clause>[\w$*{},\s]*?)\sfrom\s+(?<quoted>'\s*'|"\s*")/dgm,
  /^import\s+(?<quoted>'\s*'|"\s*")/dgm,
  /\bimport\s*\(\s*(?<quoted>'\s*'|"\s*")/dg,
];

function importsOf(path: string, text: string, code: string): Import[] {
  return IMPORTS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match): Import => {
      const [start = 0, end = 0] = match.indices?.groups?.quoted ?? [];
      const specifier = text.slice(start + 1, end - 1);
      // Whoever loads a file late may use all of it.
      const clause = match.groups?.clause ?? (match[0].includes('(') ? '*' : '');
      const isOurs = specifier.startsWith('.');
      return {
        line: lineAt(text, match.index),
        specifier,
        path: isOurs ? posix.join(posix.dirname(path), specifier) : undefined,
        typeOnly: /^type\s+[\w$*{]/.test(clause),
        names: namesIn(clause.replace(/^type\s+/, '')),
      };
    }),
  );
}

/** The names taken from the other file, by the names they have there. */
function namesIn(clause: string): string[] {
  const braced = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  const names = braced
    .split(',')
    .map((part) => part.trim().replace(/^type\s+/, ''))
    .flatMap((part) => part.split(/\s+as\s+/)[0] || []);
  const rest = clause.replace(/\{[^}]*\}/, '');
  if (rest.includes('*')) names.push('*');
  else if (/[\w$]/.test(rest)) names.push('default');
  return names;
}

const DECLARATION =
  /^export\s+(?:declare\s+|abstract\s+|async\s+)*(type|interface|const|let|function\*?|class)\s+([\w$]+)/;

function exportsOf(path: string, code: string): Export[] {
  const { closings } = bracketsOf(code);
  return [...code.matchAll(/^export\b/gm)].flatMap(({ index }): Export[] => {
    const line = lineAt(code, index);
    const rest = code.slice(index);
    const [, keyword = '', name] = DECLARATION.exec(rest) ?? [];
    if (name !== undefined) {
      const kind = /^(?:type|interface)$/.test(keyword) ? 'type' : 'value';
      return [{ line, name, kind, face: faceFrom(code, index, closings) }];
    }
    if (/^export\s+default\b/.test(rest)) return [{ line, name: 'default', kind: 'value', face: '' }];
    const [, type, list] = /^export\s+(type\s+)?\{([^}]*)\}/.exec(rest) ?? [];
    if (list === undefined)
      throw new Error(`${path}:${line}: cannot read this export; name what is exported`);
    const parts = list.split(',').flatMap((part) => part.trim() || []);
    return parts.map((part) => ({
      line,
      name: part.replace(/^.*\s/s, ''),
      kind: type !== undefined || part.startsWith('type ') ? 'type' : 'value',
      face: '',
    }));
  });
}

/** A declaration from here to its `;`, or to the brace that opens a body, which is followed by a line break. */
function faceFrom(code: string, start: number, closings: ReadonlyMap<number, number>): string {
  const isType = /^export\s+(?:declare\s+)?(?:type|interface|const|let)\b/.test(
    code.slice(start, start + 40),
  );
  let at = start;
  while (at < code.length && code[at] !== ';') {
    if (!isType && code[at] === '{' && code[at + 1] === '\n') break;
    at = (closings.get(at) ?? at) + 1;
  }
  return code.slice(start, at);
}
