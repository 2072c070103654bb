/**
 * The code tests itself: what the design promises about imports, purity, size and words is checked here. Each
 * complaint says where, what is wrong, and what to do instead.
 */
import { describe, it } from 'node:test';
import { functionsOf } from './support/tidy-functions.ts';
import {
  assertNone,
  byPath,
  complain,
  type Exceptions,
  files,
  product,
  sources,
  stale,
  under,
} from './support/tidy-project.ts';
import { lineAt } from './support/tidy-scan.ts';
import { SIDES } from './support/tidy-sides.ts';
import { packageOf } from './support/tidy-source.ts';

/** An exception that only shrinks: what has grown beyond it is a complaint, and so is one that could be less. */
type Excess = Readonly<Record<string, { readonly lines: number; readonly why: string }>>;

describe('imports', () => {
  it('run one way', () => {
    const startsIn = (path: string, places: readonly string[]) =>
      places.some((place) => path.startsWith(place));
    assertNone(
      [...product, ...under('simulation/')].flatMap((source) => {
        const side = SIDES.find(({ of }) => source.path.startsWith(of));
        if (side === undefined) return [`${source.path}:1: belongs to no side; put it into a folder of src/`];
        return source.imports.flatMap(({ specifier, path, typeOnly, line }) => {
          const where = `${source.path}:${line}: imports ${specifier}`;
          if (path !== undefined) {
            if (startsIn(path, side.files)) return [];
            if (!startsIn(path, side.types ?? [])) {
              return [`${where}; ${side.of} may import ${side.files.join(', ')} only: have it passed in`];
            }
            return typeOnly ? [] : [`${where}; ${side.of} may import its types only: use 'import type'`];
          }
          const name = packageOf(specifier);
          if (name === undefined) {
            if (side.node === 'all' || (side.node === 'types' && typeOnly)) return [];
            return [`${where}; no part of Node in ${side.of}: io does that and reports a fact`];
          }
          const allowed = side.packages.join(', ') || 'none';
          return side.packages.includes(name) ? [] : [`${where}; packages in ${side.of}: ${allowed}`];
        });
      }),
    );
  });

  it('of our own files name files that exist', () => {
    assertNone(
      sources.flatMap((source) =>
        source.imports
          .filter(({ path }) => path?.endsWith('.ts') && !byPath.has(path))
          .map(({ line, specifier }) => `${source.path}:${line}: there is no ${specifier}`),
      ),
    );
  });
});

/** What would make the same facts lead to other decisions, and what to use in its place. */
const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/(?<![.\w$])(?:Date|performance|Temporal)\b/g, 'time is a field of the fact: use `core.at`'],
  [/\bMath\.random\b|(?<![.\w$])crypto\b/g, 'draw in io and pass what was drawn in a fact'],
  [
    /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|nextTick)\b/g,
    'put a deadline into the decision; src/streams/timers.ts reports `timer.fired` when it comes',
  ],
  [
    /\b(?:Promise|async|await|then)\b(?!\s*[:?])/g,
    '`step` is synchronous: let io wait, and report what came of it in a fact',
  ],
  [/(?<![.\w$])process\b/g, 'config comes in with `gateway.started` and `config.reloaded`'],
  [/\b(?:fetch|require|XMLHttpRequest|WebSocket)\b|\bimport\s*\(/g, 'decide, and let io carry it out'],
  [/(?<![.\w$])console\b/g, 'decisions are logged by src/io/journal.ts'],
  [/(?<![.\w$])globalThis\b/g, 'name what is needed, and have it passed in'],
  [/\b(?:Intl|localeCompare|toLocale\w+)\b/g, 'compare with `<`: locales differ between machines'],
  [/\b(?:WeakRef|FinalizationRegistry)\b/g, 'keep it in the state of the core, and remove it there'],
];

/** Where XState is: the only one that may import it. */
const IMPURE_MACHINES: typeof IMPURE = [
  [
    /\b(?:fromPromise|fromCallback|fromObservable|waitFor|toPromise|spawnChild)\b|(?<!readonly )\b(?:after|delays|invoke):\s/g,
    'XState would run it on its own clock: a fact from outside moves the machine',
  ],
];

describe('the core, and the simulated world around it,', () => {
  it('are pure', () => {
    assertNone(
      [
        { folder: 'src/actors/', patterns: [...IMPURE, ...IMPURE_MACHINES] },
        { folder: 'src/simulation/', patterns: IMPURE },
      ].flatMap(({ folder, patterns }) =>
        patterns.flatMap(([pattern, instead]) =>
          complain(under(folder), 'code', pattern, (found) => `${found} under ${folder}; ${instead}`),
        ),
      ),
    );
  });
});

/** Tests that do not always run, with the reason. */
const SKIPPED: Exceptions = {
  'test/config/file.test.ts': 'root may read a file that nobody may read',
  'test/io/log.test.ts': 'a disk that is always full, /dev/full, is there on Linux only',
};

describe('the sources', () => {
  it('say what type a thing is', () => {
    assertNone([
      ...complain(
        sources,
        'code',
        /(?<![.\w$])any(?![\w$(])/g,
        () => 'the type `any`; use `unknown` and find out',
      ),
      ...complain(
        sources,
        'code',
        /\bas\s+unknown\s+as\b/g,
        (found) => `${found}; narrow it with a check or a type guard`,
      ),
      ...complain(sources, 'comments', /@ts-[a-z-]+/g, (found) => `${found}; mend what the compiler names`),
    ]);
  });

  it('leave no work for later in a comment', () => {
    assertNone(
      complain(sources, 'comments', /\b(?:TODO|FIXME|XXX|HACK)\b/g, (found) => `${found}; do it, or drop it`),
    );
  });

  it('leave no test out, or alone', () => {
    const pattern =
      /\b(?:it|test|describe|suite)\.(?:only|skip|todo)\b|\bt\.(?:skip|todo)\(|\b(?:only|skip|todo):/g;
    const tests = under('test/');
    const found = tests.filter(({ code }) => code.search(pattern) !== -1).map(({ path }) => path);
    const others = tests.filter(({ path }) => SKIPPED[path] === undefined);
    assertNone([
      ...complain(others, 'code', pattern, (word) => `${word}; mend the test, or name it in SKIPPED`),
      ...stale(SKIPPED, found),
    ]);
  });

  it('begin by saying what they are for', () => {
    assertNone(
      sources
        .filter(({ text }) => !/^(?:#![^\n]*\n)?(?:\/\*\*\s+(?:\*\s)?|\/\/ )[^\s*]/.test(text))
        .map(({ path }) => `${path}:1: no comment on its purpose; open with one or two sentences`),
    );
  });
});

const FILE_LINES = 300;
const FUNCTION_LINES = 70;

const LIST = 'a list of cases of one thing, which is read by its titles';
/** In tens, and a little more than there are, so that not every new case has to be told here. */
const LONG_FILES: Excess = {
  'test/actors/balancer.test.ts': { lines: 390, why: LIST },
  'test/event-log/faults.test.ts': { lines: 380, why: LIST },
  'test/explain/command.test.ts': { lines: 330, why: LIST },
  'test/explain/life.test.ts': { lines: 360, why: LIST },
  'test/inspector/page.test.ts': { lines: 320, why: LIST },
  'test/io/response.test.ts': { lines: 390, why: LIST },
  'test/io/tunnels.test.ts': { lines: 430, why: LIST },
  'test/metrics/fold.test.ts': { lines: 330, why: LIST },
};

/** By file and name. */
const LONG_FUNCTIONS: Excess = {
  'test/support/faulty-disk.ts faultyDisk': {
    lines: 72,
    why: 'one closure holds the disk; its functions are those of the port',
  },
  'test/support/random-world.ts createWorld': {
    lines: 127,
    why: 'one closure holds the world; most of it is the table of what can happen',
  },
};

/** Complains of what is over a limit, of what has grown beyond its exception, and of exceptions that can shrink. */
function overLimit(
  measured: readonly { key: string; at: string; lines: number; limit: number }[],
  exceptions: Excess,
  slack = 0,
): string[] {
  const over = measured.filter(({ key, lines, limit }) => lines > limit || exceptions[key] !== undefined);
  return over.flatMap(({ key, at, lines, limit }) => {
    const granted = exceptions[key]?.lines;
    if (granted !== undefined && lines > limit && lines <= granted && lines >= granted - slack) return [];
    if (granted === undefined)
      return [`${at}: ${key} has ${lines} lines, over ${limit}; split it by concept`];
    if (lines > granted) {
      return [`${at}: ${key} has grown from ${granted} to ${lines} lines; split it by concept`];
    }
    const what = lines > limit ? `write ${lines} into` : 'take it out of';
    return [`${at}: ${key} has shrunk from ${granted} to ${lines} lines; ${what} the table of exceptions`];
  });
}

describe('sizes', () => {
  it('of files let each be read in one sitting', () => {
    const measured = sources.map(({ path, text }) => ({
      key: path,
      at: `${path}:1`,
      lines: text.split('\n').length - 1,
      limit: FILE_LINES,
    }));
    assertNone([
      ...overLimit(measured, LONG_FILES, 30),
      ...stale(
        LONG_FILES,
        measured.map(({ key }) => key),
      ),
    ]);
  });

  it('of functions let each fit on a screen', (t) => {
    // Node calls the stripping of types experimental, and would say so among the results.
    t.mock.method(process, 'emitWarning', () => {});
    const measured = sources.flatMap(({ path, text }) =>
      functionsOf(text)
        .filter(({ name }) => !(path.startsWith('test/') && name === 'describe'))
        .map(({ name, line, lines }) => ({
          key: `${path} ${name}`,
          at: `${path}:${line}`,
          lines,
          limit: FUNCTION_LINES,
        })),
    );
    assertNone([
      ...overLimit(measured, LONG_FUNCTIONS),
      ...stale(
        LONG_FUNCTIONS,
        measured.map(({ key }) => key),
      ),
    ]);
  });
});

/** Written so that this file does not itself contain what it looks for. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w$}.])\/(?:[w]ork|[r]oot|[h]ome|[t]mp|[U]sers)\b/g, 'a path of one machine; derive it'],
  [/\b[A-Z]:\\[U]sers\b/g, 'a path of one machine; derive it'],
  [/\b[r]egistry\.[\w-]+\.\w+|[_]authToken|"[r]esolved":/g, 'where packages come from is npm’s business'],
  [/\b(?:[c]laude|[a]nthropic|[c]opilot|[c]odex)\b/gi, 'who wrote it is not part of the project'],
  [/[c]o-authored-by|\b[s]ub-?agents?\b|\bthe [b]rief\b/gi, 'how work was organised is not part of it'],
  [/\b(?:[i]ssue|[s]ession) #?\d+\b/gi, 'how work was organised is not part of it; say the thing itself'],
  [/\.\.\/[s]hared\b|\b(?:[D]ESIGN|[S]TYLE)\.md\b/g, 'no such file is here; say the thing itself'],
];

describe('nothing committed', () => {
  it('tells of the machine it was made on, or of how it was made', () => {
    assertNone(
      files.flatMap(({ path, text }) =>
        FORBIDDEN.flatMap(([pattern, why]) => [
          ...[...path.matchAll(pattern)].map(({ 0: found }) => `${path}: ${found} in its name; ${why}`),
          ...[...text.matchAll(pattern)].map(
            ({ 0: found, index }) => `${path}:${lineAt(text, index)}: ${found}; ${why}`,
          ),
        ]),
      ),
    );
  });
});
