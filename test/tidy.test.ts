/**
 * The code tests itself: what the design promises about imports, purity, size and words is checked here. Each
 * complaint says where, what is wrong, and what to do instead.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT, textFiles } from './support/tidy-files.ts';
import { functionsOf } from './support/tidy-functions.ts';
import { lineAt } from './support/tidy-scan.ts';
import { SIDES } from './support/tidy-sides.ts';
import { packageOf, readSource, type Source } from './support/tidy-source.ts';

/** A table of exceptions must be exact, so that it only shrinks. Each entry says why it is there. */
type Exceptions<Key extends string = string> = Readonly<Record<Key, string>>;
type Excess = Readonly<Record<string, { readonly lines: number; readonly why: string }>>;

const files = textFiles();
const sources = files
  .filter(({ path }) => path.endsWith('.ts'))
  .map(({ path, text }) => readSource(path, text));
const under = (...folders: readonly string[]) =>
  sources.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
const product = under('src/', 'mock/');
const byPath = new Map(sources.map((source) => [source.path, source]));
const textOf = (path: string) => files.find((file) => file.path === path)?.text;
const manifest = JSON.parse(textOf('package.json') ?? '{}') as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  scripts: Record<string, string>;
};

function assertNone(complaints: readonly string[]): void {
  if (complaints.length > 0) assert.fail(`${complaints.length} found:\n  ${complaints.join('\n  ')}\n`);
}

/** One complaint for each place in one view of these sources that fits. */
function complain(
  among: readonly Source[],
  view: 'text' | 'code' | 'comments',
  pattern: RegExp,
  complaint: (found: string) => string,
): string[] {
  return among.flatMap((source) =>
    [...source[view].matchAll(pattern)].map(
      ({ 0: found, index }) => `${source.path}:${lineAt(source.text, index)}: ${complaint(found.trim())}`,
    ),
  );
}

/** Complains about exceptions that nothing needs any more. */
function stale(exceptions: object, needed: Iterable<string>): string[] {
  const known = new Set(needed);
  return Object.keys(exceptions)
    .filter((key) => !known.has(key))
    .map((key) => `test/tidy.test.ts: nothing needs the exception for ${key} any more; take it out`);
}

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
  [
    /\b(?:fromPromise|fromCallback|fromObservable|waitFor|toPromise|spawnChild)\b|(?<!readonly )\b(?:after|delays|invoke):\s/g,
    'XState would run it on its own clock: a fact from outside moves the machine',
  ],
];

describe('the core', () => {
  it('is pure', () => {
    assertNone(
      IMPURE.flatMap(([pattern, instead]) =>
        complain(under('src/actors/'), 'code', pattern, (found) => `${found} under src/actors; ${instead}`),
      ),
    );
  });
});

/** Tests that do not always run, with the reason. */
const SKIPPED: Exceptions = {
  'test/config/file.test.ts': 'root may read a file that nobody may read',
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

/** Tests are lists, and a list may be longer than a thought. */
const lineLimit = (path: string) => (path.startsWith('test/') ? 500 : 300);
const FUNCTION_LINES = 70;

const LONG_FILES: Excess = {};

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
): string[] {
  const over = measured.filter(({ key, lines, limit }) => lines > limit || exceptions[key] !== undefined);
  return over.flatMap(({ key, at, lines, limit }) => {
    const granted = exceptions[key]?.lines;
    if (granted === lines && lines > limit) return [];
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
      limit: lineLimit(path),
    }));
    assertNone([
      ...overLimit(measured, LONG_FILES),
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

/** Files of the product that nothing of the product imports, and fixtures that nothing names. */
const NOT_IN_USE: Exceptions = {
  'test/fixtures/record-nginx-swrr.py': 'the recipe of nginx-swrr.json',
  'test/replay/histories/v1/make.ts': 'the recipe of the histories beside it',
  'test/fixtures/nginx-swrr.weights.json': 'what the recipe is given',
};
/** Where a process, a thread or a page begins. */
const ENTRIES = [
  'src/cli.ts',
  'mock/cli.ts',
  'src/io/inspector/worker.ts',
  'src/io/inspector/story.ts',
  'src/io/inspector/strip-types.ts',
  'src/io/inspector/page/main.ts',
];

/** Exports that nobody imports, by file and name. */
const UNUSED_EXPORTS: Exceptions = {};

describe('nothing is left over:', () => {
  it('every file is in use', () => {
    const reachable = (from: readonly string[]) => {
      const seen = new Set(from);
      for (const path of seen)
        for (const each of byPath.get(path)?.imports ?? []) seen.add(each.path ?? path);
      return seen;
    };
    const inProduct = reachable(ENTRIES);
    const unused = product.filter(({ path }) => !inProduct.has(path));
    const isTestFile = (path: string) => path.endsWith('.test.ts') || !/^(?:src|mock|test)\//.test(path);
    const inTests = reachable(sources.map(({ path }) => path).filter(isTestFile));
    const helpers = under('test/').filter(({ path }) => !inTests.has(path));
    const readers = sources.filter(({ path }) => path !== 'test/tidy.test.ts');
    const fixtures = files.filter(({ path }) => {
      const name = path.replace(/^.*\//, '');
      return path.startsWith('test/fixtures/') && !readers.some(({ text }) => text.includes(`/${name}`));
    });
    const found = [
      ...unused.map(({ path }) => ({ path, what: `not reached from ${ENTRIES.join(' or ')}` })),
      ...helpers.map(({ path }) => ({ path, what: 'no test imports it' })),
      ...fixtures.map(({ path }) => ({ path, what: 'no test names this fixture' })),
    ];
    assertNone([
      ...found
        .filter(({ path }) => NOT_IN_USE[path] === undefined)
        .map(({ path, what }) => `${path}:1: ${what}; use it or remove it`),
      ...stale(
        NOT_IN_USE,
        found.map(({ path }) => path),
      ),
    ]);
  });

  it('every exported name is used elsewhere, or is a type that another export speaks of', () => {
    const taken = new Set(
      sources.flatMap(({ imports }) =>
        imports.flatMap(({ path, names }) => names.map((n) => `${path} ${n}`)),
      ),
    );
    const unused = sources.flatMap(({ path, exports }) =>
      exports
        .filter(({ name }) => !taken.has(`${path} ${name}`) && !taken.has(`${path} *`))
        .filter(
          (each) =>
            each.kind === 'value' ||
            !exports.some((other) => other !== each && new RegExp(`\\b${each.name}\\b`).test(other.face)),
        )
        .map(({ line, name }) => ({ key: `${path} ${name}`, at: `${path}:${line}`, name })),
    );
    assertNone([
      ...unused
        .filter(({ key }) => UNUSED_EXPORTS[key] === undefined)
        .map(({ at, name }) => `${at}: nobody imports ${name}; drop its 'export', or the whole of it`),
      ...stale(
        UNUSED_EXPORTS,
        unused.map(({ key }) => key),
      ),
    ]);
  });
});

/** Packages that are run and not imported, with the command that shows it. */
const TOOLS: Exceptions = { '@biomejs/biome': 'biome check', typescript: 'tsc -p' };

describe('dependencies', () => {
  const importers = (name: string) =>
    sources.filter(({ imports }) => imports.some(({ specifier }) => packageOf(specifier) === name));
  const isUsed = (name: string) => {
    const command = TOOLS[name];
    if (command !== undefined) {
      return [...Object.values(manifest.scripts), textOf('scripts/test.sh')].some((text) =>
        text?.includes(command),
      );
    }
    if (name === '@types/node') return true;
    return importers(name.replace(/^@types\//, '')).length > 0;
  };

  it('are all in use', () => {
    const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    assertNone(
      names
        .filter((name) => !isUsed(name))
        .map((name) => `package.json: nothing imports ${name}; npm uninstall it`),
    );
  });

  it('of the product are among those that are installed with it', () => {
    assertNone(
      product.flatMap(({ path, imports }) =>
        imports.flatMap(({ specifier, line }) => {
          const name = packageOf(specifier);
          return name === undefined || manifest.dependencies[name] !== undefined
            ? []
            : [`${path}:${line}: ${name} is not in "dependencies" of package.json; put it there`];
        }),
      ),
    );
  });

  it('are named with their reasons in ARCHITECTURE.md', () => {
    const page = textOf('ARCHITECTURE.md') ?? '';
    assertNone(
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter((name) => !page.includes(`\`${name}\``))
        .map((name) => `ARCHITECTURE.md: does not name \`${name}\`; say what it is there for`),
    );
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

describe('the configuration table', () => {
  const script = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'scripts/config-table.ts'), ...args], { encoding: 'utf8' });

  it('of README.md is that of the schema', () => {
    const { status, stderr } = script('--check');
    assert.equal(status, 0, stderr);
  });

  it('is written between its marks, leaves the rest as it is, and is then up to date', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'reprise-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const page = join(folder, 'page.md');
    writeFileSync(page, 'Before.\n<!-- config:begin -->\nold\n<!-- config:end -->\nAfter.\n');
    assert.equal(script('--check', page).status, 1);
    assert.equal(script(page).status, 0);
    const text = readFileSync(page, 'utf8');
    assert.match(text, /^Before\.\n<!-- config:begin -->\n\| key /);
    assert.match(text, /\n\| `server\.port` \| `8080` \| `REPRISE_PORT` \| Port [^|]+ \|\n/);
    assert.match(text, /\|\n<!-- config:end -->\nAfter\.\n$/);
    assert.equal(script('--check', page).status, 0);
  });
});
