/**
 * Judges what node's own coverage reports (lcov): each line and branch that no test came to is a complaint, unless it is
 * an assertion or an exception with a reason; and so is an exception that nothing needs any more.
 */

/** Known by the text of its line, since line numbers change with every edit above it. */
export type Exception = {
  /** From the root of the project, with forward slashes. */
  readonly path: string;
  /** The whole line, without the space around it. */
  readonly line: string;
  readonly why: string;
};

type Gap = {
  readonly path: string;
  readonly line: number;
  readonly what: 'line' | 'branch' | 'function';
};

/**
 * @param lcov the report
 * @param textOf the text of a file named in the report
 * @returns what is wrong, one complaint each, with file and line
 */
export function judgeCoverage(
  lcov: string,
  textOf: (path: string) => string,
  exceptions: readonly Exception[],
): string[] {
  const needed = new Set<Exception>();
  /** One for each place: a branch that is not taken is also lines that are not run. */
  const complaints = new Map<string, string>();
  for (const { path, line, what } of gapsIn(lcov)) {
    const lines = textOf(path)
      .split('\n')
      .map((text) => text.trim());
    const text = lines[line - 1] ?? '';
    const exception = exceptions.find((each) => each.path === path && each.line === text);
    if (exception !== undefined) needed.add(exception);
    else if (!isAssertion(lines, line - 1) && !complaints.has(`${path}:${line}`))
      complaints.set(`${path}:${line}`, `${path}:${line}: no test comes to this ${what}: ${text}`);
  }
  const stale = exceptions
    .filter((exception) => !needed.has(exception))
    .map(({ path, line }) => `${path}: nothing needs the exception for this line any more: ${line}`);
  return [...complaints.values(), ...stale];
}

/** Code for what cannot happen, which says so when it does, and what stands around it alone. */
function isAssertion(lines: readonly string[], at: number): boolean {
  const asserts = (index: number) => /\bassertNever\(|\bthrow new TypeError\(/.test(lines[index] ?? '');
  const line = lines[at];
  return asserts(at) || (line === 'default:' && asserts(at + 1)) || (line === '}' && asserts(at - 1));
}

function gapsIn(lcov: string): Gap[] {
  const gaps: Gap[] = [];
  let path = '';
  const lineOfFunction = new Map<string, number>();
  for (const record of lcov.split('\n')) {
    const [kind = '', rest = ''] = splitOnce(record, ':');
    const fields = rest.split(',');
    const first = Number(fields[0]);
    if (kind === 'SF') {
      path = rest.replaceAll('\\', '/');
      lineOfFunction.clear();
    }
    // A function that is not named in the source is, for its body, a branch or lines as well.
    if (kind === 'FN') lineOfFunction.set(fields.slice(1).join(','), first);
    if (kind === 'FNDA' && first === 0) {
      gaps.push({ path, line: lineOfFunction.get(fields.slice(1).join(',')) ?? 0, what: 'function' });
    }
    if (kind === 'BRDA' && (fields[3] === '0' || fields[3] === '-'))
      gaps.push({ path, line: first, what: 'branch' });
    if (kind === 'DA' && Number(fields[1]) === 0) gaps.push({ path, line: first, what: 'line' });
  }
  return gaps;
}

function splitOnce(text: string, sign: string): [string, string] {
  const at = text.indexOf(sign);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + sign.length)];
}
