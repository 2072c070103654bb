/**
 * The script: everything that decides how a mock answers, as one flat, JSON-safe value. Tests set it in process,
 * `POST /mock/script` sets it from outside, and `X-Mock-Script` changes it for a single request.
 */
import { FAULT_GRAMMAR, type FaultText, isFaultText } from './faults.ts';

export type HealthScript = 'ok' | 'hang' | 'reset' | number;

export type MockScript = {
  /** Time from a request's turn to its first token. */
  readonly firstTokenDelayMs: number;
  /** Time between two tokens; with 0 a stream is written as fast as the peer reads, without timers. */
  readonly tokenGapMs: number;
  /** Tokens of an answer, unless the request's `max_tokens` asks for fewer. */
  readonly tokenCount: number;
  /** Generations at a time, further ones wait in line; 0 means no limit. */
  readonly slots: number;
  /** Sends the head of a stream at once, not together with the first token. */
  readonly earlyHeaders: boolean;

  /** The fault that requests meet (health and control calls excepted); null means none. */
  readonly fault: FaultText | null;
  /** Only every Nth request meets `fault`, counted from when the script was last changed; 1 means each. */
  readonly faultEvery: number;
  /** Only requests on a socket that has served one before meet `fault`. */
  readonly faultOnReusedSocket: boolean;
  /** Faults for the next requests, one each, in order; null lets one pass. They go before `fault`. */
  readonly nextFaults: readonly (FaultText | null)[];
  /** Refuses connections for this long; open ones stay. Set it again to begin again. */
  readonly refuseForMs: number;

  /** What `GET /health` does: answers 200, hangs, resets, or answers this status. */
  readonly health: HealthScript;
  readonly healthDelayMs: number;

  /** Idle sockets are closed after this long; 0 means never. */
  readonly keepAliveTimeoutMs: number;
  /** What `Keep-Alive: timeout=` announces, in whole seconds on the wire; null sends no hint, as vLLM does. */
  readonly keepAliveHintMs: number | null;
  /** Sends `Connection: close` on each response and closes. */
  readonly connectionClose: boolean;
  /** Sends unstreamed bodies chunked, without Content-Length. */
  readonly chunked: boolean;
  /** Further response headers, in order, repeats kept. */
  readonly extraHeaders: readonly (readonly [string, string])[];
  /** Size of the answer of `/v1/blob`. */
  readonly bodyBytes: number;
};

/** A fast, healthy server in the manner of vLLM: idle sockets close after 5 s, unannounced. */
export const DEFAULT_SCRIPT: MockScript = {
  firstTokenDelayMs: 0,
  tokenGapMs: 0,
  tokenCount: 16,
  slots: 0,
  earlyHeaders: false,
  fault: null,
  faultEvery: 1,
  faultOnReusedSocket: false,
  nextFaults: [],
  refuseForMs: 0,
  health: 'ok',
  healthDelayMs: 0,
  keepAliveTimeoutMs: 5000,
  keepAliveHintMs: null,
  connectionClose: false,
  chunked: false,
  extraHeaders: [],
  bodyBytes: 1024 * 1024,
};

/** Either the changes, ready to be laid over a script, or one sentence for each thing that is wrong. */
export type ScriptCheck =
  | { readonly ok: true; readonly changes: Partial<MockScript> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Checks a value from outside (parsed JSON) as a partial script, and reports all its problems at once. */
export function checkScript(input: unknown): ScriptCheck {
  if (!isObject(input)) return { ok: false, problems: ['the script must be a JSON object'] };
  const changes: { -readonly [K in keyof MockScript]?: MockScript[K] } = {};
  const problems: string[] = [];
  for (const [key, value] of Object.entries(input)) {
    if (!isScriptKey(key)) {
      problems.push(`${key}: unknown key, known are ${Object.keys(RULES).join(', ')}`);
    } else if (!assign(changes, key, value)) {
      problems.push(`${key}: must be ${RULES[key].expected}, is ${describe(value)}`);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, changes };
}

/** As `checkScript`, from text. */
export function parseScript(text: string): ScriptCheck {
  try {
    return checkScript(JSON.parse(text));
  } catch (error) {
    return { ok: false, problems: [`not JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** A rule takes a value as it is, or leaves it (`undefined`). */
type Rule<T> = { readonly expected: string; readonly take: (value: unknown) => T | undefined };

/** The longest delay a Node timer can hold. */
const LONGEST_MS = 2 ** 31 - 1;
const MANY = 1_000_000_000;
const TOKEN_COUNT_MAX = 1_000_000;

const RULES: { readonly [K in keyof MockScript]: Rule<MockScript[K]> } = {
  firstTokenDelayMs: wholeNumber(0, LONGEST_MS),
  tokenGapMs: wholeNumber(0, LONGEST_MS),
  tokenCount: wholeNumber(0, TOKEN_COUNT_MAX),
  slots: wholeNumber(0, MANY),
  earlyHeaders: boolean(),
  fault: orNull({ expected: `a fault (${FAULT_GRAMMAR})`, take: takeFault }),
  faultEvery: wholeNumber(1, MANY),
  faultOnReusedSocket: boolean(),
  nextFaults: listOf(orNull({ expected: `fault (${FAULT_GRAMMAR})`, take: takeFault })),
  refuseForMs: wholeNumber(0, LONGEST_MS),
  health: { expected: "'ok', 'hang', 'reset' or a status from 200 to 599", take: takeHealth },
  healthDelayMs: wholeNumber(0, LONGEST_MS),
  keepAliveTimeoutMs: wholeNumber(0, LONGEST_MS),
  keepAliveHintMs: orNull(wholeNumber(0, LONGEST_MS)),
  connectionClose: boolean(),
  chunked: boolean(),
  extraHeaders: listOf({ expected: '[name, value] pair of texts', take: takeHeader }),
  bodyBytes: wholeNumber(0, Number.MAX_SAFE_INTEGER),
};

function isScriptKey(key: string): key is keyof MockScript {
  return Object.hasOwn(RULES, key);
}

function assign<K extends keyof MockScript>(
  changes: { -readonly [P in keyof MockScript]?: MockScript[P] },
  key: K,
  value: unknown,
): boolean {
  const taken = RULES[key].take(value);
  if (taken === undefined) return false;
  changes[key] = taken;
  return true;
}

function wholeNumber(least: number, most: number): Rule<number> {
  return {
    expected: `a whole number from ${least} to ${most}`,
    take: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
        ? value
        : undefined,
  };
}

function boolean(): Rule<boolean> {
  return { expected: 'true or false', take: (value) => (typeof value === 'boolean' ? value : undefined) };
}

function orNull<T>(rule: Rule<T>): Rule<T | null> {
  return {
    expected: `${rule.expected} or null`,
    take: (value) => (value === null ? null : rule.take(value)),
  };
}

function listOf<T>(rule: Rule<T>): Rule<readonly T[]> {
  return {
    expected: `a list, each a ${rule.expected}`,
    take: (value) => {
      if (!Array.isArray(value)) return undefined;
      const taken: T[] = [];
      for (const item of value) {
        const one = rule.take(item);
        if (one === undefined) return undefined;
        taken.push(one);
      }
      return taken;
    },
  };
}

function takeFault(value: unknown): FaultText | undefined {
  return isFaultText(value) ? value : undefined;
}

function takeHealth(value: unknown): HealthScript | undefined {
  if (value === 'ok' || value === 'hang' || value === 'reset') return value;
  return wholeNumber(200, 599).take(value);
}

function takeHeader(value: unknown): readonly [string, string] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [name, text]: unknown[] = value;
  const sound =
    typeof name === 'string' &&
    typeof text === 'string' &&
    /^[!#$%&'*+.^_`|~\w-]+$/.test(name) &&
    /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
  return sound ? [name, text] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
