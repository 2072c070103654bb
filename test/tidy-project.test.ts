/**
 * The project tests itself: nothing is left over, each dependency has its reason, and what the pages say of files, commands
 * and configuration is so. The code itself: `tidy.test.ts`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from './support/tidy-files.ts';
import {
  assertNone,
  byPath,
  type Exceptions,
  files,
  manifest,
  product,
  sources,
  stale,
  textOf,
  under,
} from './support/tidy-project.ts';
import { lineAt } from './support/tidy-scan.ts';
import { packageOf } from './support/tidy-source.ts';

/** Which names files only to complain of them. */
const SELF = 'test/tidy-project.test.ts';

/** Files of the product that nothing of the product imports, and fixtures that nothing names. */
const NOT_IN_USE: Exceptions = {
  'test/fixtures/record-nginx-swrr.py': 'the recipe of nginx-swrr.json',
  'bench/peers/fast-proxy.cjs': 'bench/compare/proxies.ts starts each peer by its name',
  'bench/peers/fastify-http-proxy.cjs': 'as the one above',
  'bench/peers/http-proxy.cjs': 'as the ones above',
  'scripts/config-table.ts': 'writes the table of README.md, which is checked below',
  'test/replay/histories/v1/make.ts': 'the recipe of the histories beside it',
  'test/fixtures/nginx-swrr.weights.json': 'what the recipe is given',
};
/** Files that a tool or a reader finds by their place, or by a name that is not theirs alone. */
const FOUND_BY_PLACE =
  /^(?:README\.md|LICENSE|Dockerfile|biome\.json|docker-compose\.yml|\.dockerignore|\.editorconfig|\.gitattributes|\.gitignore|\.ci\/run|(?:toolchain\/)?package(?:-lock)?\.json|tsconfig\.json)$/;
/** Where a process, a thread or a page begins. */
const ENTRIES = [
  'src/cli.ts',
  'mock/cli.ts',
  'src/io/inspector/worker.ts',
  'src/io/inspector/story.ts',
  'src/io/inspector/strip-types.ts',
  'src/io/inspector/page/main.ts',
];

/** Whether a text names a file: by its name, whole and with what it ends in. */
function isNamed(path: string, text: string): boolean {
  const name = path.replace(/^.*\//, '').replaceAll('.', '\\.');
  return new RegExp(`(?<![\\w.-])${name}(?![\\w-])`).test(text);
}

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
    const isElsewhere = (path: string) => !/^(?:src|mock|test)\//.test(path);
    const isTestFile = (path: string) => path.endsWith('.test.ts') || isElsewhere(path);
    const inTests = reachable(sources.map(({ path }) => path).filter(isTestFile));
    const helpers = under('test/').filter(({ path }) => !inTests.has(path));
    const readers = sources.filter(({ path }) => path !== SELF);
    const fixtures = files.filter(({ path }) => {
      const name = path.replace(/^.*\//, '');
      return path.startsWith('test/fixtures/') && !readers.some(({ text }) => text.includes(`/${name}`));
    });
    const others = files.filter(
      ({ path }) =>
        isElsewhere(path) &&
        !FOUND_BY_PLACE.test(path) &&
        !files.some((other) => other.path !== path && other.path !== SELF && isNamed(path, other.text)),
    );
    const found = [
      ...unused.map(({ path }) => ({ path, what: `not reached from ${ENTRIES.join(' or ')}` })),
      ...helpers.map(({ path }) => ({ path, what: 'no test imports it' })),
      ...fixtures.map(({ path }) => ({ path, what: 'no test names this fixture' })),
      ...others.map(({ path }) => ({ path, what: 'no other file names it' })),
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

  it('are named with their reasons in ARCHITECTURE.md, and no others', () => {
    const [, table = ''] = (textOf('ARCHITECTURE.md') ?? '').split('\n## Dependencies\n');
    const [rows = ''] = table.split('\n## ');
    const given = new Map(
      [...rows.matchAll(/^\| (?<names>`.*`) \| (?<why>.*) \|$/gm)].flatMap(({ groups }) =>
        [...(groups?.names ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, groups?.why ?? '']),
      ),
    );
    const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    assertNone([
      ...names
        .filter((name) => !/\w/.test(given.get(name) ?? ''))
        .map(
          (name) => `ARCHITECTURE.md: gives no reason for \`${name}\` under Dependencies; say what it is for`,
        ),
      ...[...given.keys()]
        .filter((name) => !names.includes(name))
        .map((name) => `ARCHITECTURE.md: \`${name}\` is not in package.json any more; take out its row`),
    ]);
  });
});

describe('the map in ARCHITECTURE.md', () => {
  it('names every file that stands directly in src or in one of its sides', () => {
    const [, map = ''] = (textOf('ARCHITECTURE.md') ?? '').split('\n## Where things are\n');
    const [rows = ''] = map.split('\n## ');
    assertNone(
      product
        .filter(
          ({ path }) => /^src\/(?:(?:actors|streams|io)\/)?[\w-]+\.ts$/.test(path) && !isNamed(path, rows),
        )
        .map(({ path }) => `ARCHITECTURE.md: "Where things are" does not name ${path}; add it to its row`),
    );
  });
});

/** Scripts that README.md need not tell of. */
const UNTOLD_SCRIPTS: Exceptions = {
  build: 'npm runs it for `prepack`',
  lint: 'the first part of `npm test`',
  prepack: 'npm runs it by itself',
  screenshots: 'makes the pictures of README.md; ARCHITECTURE.md tells of it',
  typecheck: 'the second part of `npm test`',
};

describe('commands', () => {
  const pages = files.filter(({ path }) => path.endsWith('.md'));
  const call = /\bnpm (?:run (?:-s |--silent )?(?<script>\w[\w:-]*)|(?<own>test|start)\b)/g;
  const asked = pages.flatMap(({ path, text }) =>
    [...text.matchAll(call)].map(({ groups, index }) => {
      return { script: groups?.script ?? groups?.own ?? '', path, at: `${path}:${lineAt(text, index)}` };
    }),
  );

  it('of npm that a page names are in package.json, and README.md names those there are', () => {
    const told = new Set(asked.filter(({ path }) => path === 'README.md').map(({ script }) => script));
    const untold = Object.keys(manifest.scripts).filter((script) => !told.has(script));
    assertNone([
      ...asked
        .filter(({ script }) => manifest.scripts[script] === undefined)
        .map(({ at, script }) => `${at}: there is no npm run ${script}`),
      ...untold
        .filter((script) => UNTOLD_SCRIPTS[script] === undefined)
        .map((script) => `README.md: does not tell of npm run ${script}; name it, or say why not`),
      ...stale(UNTOLD_SCRIPTS, untold),
    ]);
  });

  it('and flags of reprise that a page shows are there, and README.md shows every command', () => {
    const known = commandsOfReprise();
    const shown = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/(?<=[`/\n ]|^)reprise (?<command>[a-z]+)(?<rest>[^`\n#|&]*)/g)]
        .filter(({ groups }) => known.has(groups?.command ?? ''))
        .map(({ groups, index }) => ({
          path,
          at: `${path}:${lineAt(text, index)}`,
          command: groups?.command ?? '',
          flags: (groups?.rest ?? '').match(/(?<= |\[)--[a-z-]+/g) ?? [],
        })),
    );
    const inReadme = new Set(shown.filter(({ path }) => path === 'README.md').map(({ command }) => command));
    assertNone([
      ...shown.flatMap(({ at, command, flags }) =>
        flags
          .filter((flag) => !known.get(command)?.has(flag))
          .map((flag) => `${at}: reprise ${command} has no ${flag}`),
      ),
      ...[...known.keys()]
        .filter((command) => !inReadme.has(command))
        .map((command) => `README.md: does not show reprise ${command}`),
    ]);
  });
});

/** Each command of `reprise` with its flags, as its own help tells them. */
function commandsOfReprise(): ReadonlyMap<string, ReadonlySet<string>> {
  const help = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'src/cli.ts'), ...args, '--help'], { encoding: 'utf8' }).stdout;
  const commands = [...help().matchAll(/^ {2}([a-z]+)(?= .*$)/gm)].map(([, name = '']) => name);
  return new Map(
    commands
      .filter((name) => name !== 'help')
      .map((name) => [name, new Set(help(name).match(/(?<=[ ,])--[a-z-]+/g) ?? [])]),
  );
}

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
