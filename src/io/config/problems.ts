/**
 * What is wrong with a configuration, said so that a tired operator can mend it: which key, which value, where the
 * value came from and what would be right. All problems travel in one error.
 */

/** Where a value came from. `name` is the file, the variable or the flag. */
export type Origin =
  | { readonly from: 'default' }
  | { readonly from: 'file'; readonly name: string }
  | { readonly from: 'environment'; readonly name: string }
  | { readonly from: 'flag'; readonly name: string };

export type ConfigProblem = {
  /** Such as `server.port` or `backends[1].weight`; `config` when the file itself is meant. */
  readonly key: string;
  /** What was found, with credentials in URLs blotted out; undefined when something is missing or not to be shown. */
  readonly value: unknown;
  readonly origin: Origin;
  /** What would be right, as the end of a sentence that begins with the key. */
  readonly expected: string;
  /** Place in the file, counted from 1, when its text is not JSON. */
  readonly line?: number;
  readonly column?: number;
};

const MAX_VALUE_LENGTH = 120;
const MAX_LISTED = 100;

/** The configuration cannot be used. `message` lists the problems, one a line; nothing has been applied. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly source = 'config';
  readonly retryable = false;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(summary(problems));
    this.problems = problems;
  }
}

/** @returns a problem whose value may be shown: credentials that stand in a URL are blotted out. */
export function problem(key: string, value: unknown, origin: Origin, expected: string): ConfigProblem {
  return { key, value: withoutCredentials(value), origin, expected };
}

/** @returns `default`, `file reprise.json`, `environment REPRISE_PORT` or `flag --port`. */
export function formatOrigin(origin: Origin): string {
  return origin.from === 'default' ? 'default' : `${origin.from} ${origin.name}`;
}

/** @returns the problem on one line, such as `server.port = "x" (flag --port): must be a whole number …`. */
export function formatProblem({ key, value, origin, expected, line, column }: ConfigProblem): string {
  const shown = value === undefined ? '' : ` = ${preview(value)}`;
  if (line === undefined) return `${key}${shown} (${formatOrigin(origin)}): ${expected}`;
  const near = typeof value === 'string' && value !== '' ? `, near ${value}` : '';
  return `${formatOrigin(origin)}, line ${line}, column ${column}${near}: ${expected}`;
}

/** @returns the path of a key within its section; a key that is no plain word is quoted, so that it cannot mislead. */
export function keyPath(section: string, key: string): string {
  if (!/^[\w$-]{1,64}$/.test(key)) return `${section}[${preview(key)}]`;
  return section === '' ? key : `${section}.${key}`;
}

/** @returns the value as JSON, cut to a readable length. */
export function preview(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= MAX_VALUE_LENGTH ? json : `${json.slice(0, MAX_VALUE_LENGTH)}…`;
}

function summary(problems: readonly ConfigProblem[]): string {
  const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  const lines = problems.slice(0, MAX_LISTED).map((each) => `\n  ${formatProblem(each)}`);
  const rest = problems.length - lines.length;
  return `the configuration is not valid (${count})${lines.join('')}${rest > 0 ? `\n  … and ${rest} more` : ''}`;
}

/**
 * @returns the value with what stands before an `@` blotted out in every text, since that may be a password. Values
 * are at most as deep as `json-fault.ts` lets a file be, so recursion is safe.
 */
export function withoutCredentials(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^(.*:\/\/)?.*@/s, '$1***@');
  if (Array.isArray(value)) return value.map(withoutCredentials);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutCredentials(each)]));
}
