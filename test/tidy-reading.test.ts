/** The reader behind `tidy.test.ts`: a check that reads wrongly would find nothing, and nobody would notice. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { functionsOf } from './support/tidy-functions.ts';
import { separate } from './support/tidy-scan.ts';
import { packageOf, readSource } from './support/tidy-source.ts';

const imports = (text: string) => readSource('src/io/here.ts', text).imports;
const exported = (text: string) => readSource('here.ts', text).exports;

describe('code and comments', () => {
  const cases: readonly (readonly [title: string, text: string, code: string])[] = [
    ['a line comment', 'a(); // b\nc();', 'a();     \nc();'],
    ['a block comment', 'a(/* b\n c */);', 'a(    \n     );'],
    ['a string', 'a(\'b\', "c");', 'a(\' \', " ");'],
    ['a quote in a string', "a('b\\'c');", "a('    ');"],
    ['a comment sign in a string', "a('// b');", "a('    ');"],
    ['a quote in a comment', "// it's\na();", '       \na();'],
    ['a regular expression', 'a = /b"[/]c/g;', 'a = /       g;'],
    ['a division', "a = b / c; d = 'e / f';", "a = b / c; d = '     ';"],
    ['a template', 'a(`b c`);', 'a(`   `);'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a template in the text that is read
    ['a template with code in it', 'a(`b ${c({ d: `e ${f}` })} g`);', 'a(`  ${c({ d: `  ${f}` })}  `);'],
  ];
  for (const [title, text, code] of cases) {
    it(`are told apart in: ${title}`, () => {
      assert.equal(separate(text).code, code);
      assert.equal(separate(text).comments.length, text.length);
    });
  }

  it('are each in their own text, at the same place', () => {
    const { code, comments } = separate("a('x'); // b\n");
    assert.equal(code, "a(' ');     \n");
    assert.equal(comments, '        // b\n');
  });
});

describe('imports', () => {
  it('are read with their file, names and kind', () => {
    assert.deepEqual(imports("import { a, type b, c as d } from '../x/there.ts';"), [
      {
        line: 1,
        specifier: '../x/there.ts',
        path: 'src/x/there.ts',
        typeOnly: false,
        names: ['a', 'b', 'c'],
      },
    ]);
    assert.deepEqual(imports("\nimport type { A } from 'pkg/part';"), [
      { line: 2, specifier: 'pkg/part', path: undefined, typeOnly: true, names: ['A'] },
    ]);
  });

  it('are read in every form', () => {
    const text = [
      "import a from 'a';",
      "import * as b from 'b';",
      "import 'c';",
      "export { d } from 'd';",
      "export type { e } from 'e';",
      "const { f } = await import('f');",
      "import {\n  g,\n  type h,\n} from 'g';",
    ].join('\n');
    assert.deepEqual(
      [...imports(text)]
        .sort((one, other) => one.line - other.line)
        .map(({ specifier, typeOnly, names }) => [specifier, typeOnly, ...names]),
      [
        ['a', false, 'default'],
        ['b', false, '*'],
        ['c', false],
        ['d', false, 'd'],
        ['e', true, 'e'],
        ['f', false, '*'],
        ['g', false, 'g', 'h'],
      ],
    );
  });

  it('in comments and strings are none', () => {
    assert.deepEqual(imports("// import a from 'a';\nconst b = \"import c from 'c'\";"), []);
  });

  it('name their package without what is inside it', () => {
    assert.deepEqual(
      ['rxjs/operators', '@a/b/c', 'node:fs', './x.ts', '../x.ts'].map((specifier) => packageOf(specifier)),
      ['rxjs', '@a/b', undefined, undefined, undefined],
    );
  });
});

describe('exports', () => {
  it('are read in every form', () => {
    const text = [
      'export type A = { a: B };',
      'export const c = 1;',
      'export async function d() {\n}',
      'export function* e() {\n}',
      'export class F {\n}',
      'export { g, type H, i as j };',
      "export type { K } from 'k';",
      'export default l;',
    ].join('\n');
    assert.deepEqual(
      exported(text).map(({ name, kind }) => `${kind} ${name}`),
      [
        'type A',
        'value c',
        'value d',
        'value e',
        'value F',
        'value g',
        'type H',
        'value j',
        'type K',
        'value default',
      ],
    );
  });

  it('show what they speak of, without the body of a function', () => {
    const [type, fn] = exported(
      'export type A = {\n  b: B;\n  c: C;\n};\nexport function f({ d }: D): { e: E } {\n  const g: G = d;\n}\n',
    );
    assert.match(type?.face ?? '', /B[\s\S]*C/);
    assert.match(fn?.face ?? '', /D/);
    assert.doesNotMatch(fn?.face ?? '', /G/);
  });

  it('that cannot be read are not passed over', () => {
    assert.throws(() => exported("export * from './x.ts';"), /here\.ts:1: cannot read this export/);
  });
});

describe('functions', () => {
  it('are measured from head to last brace, whatever their form', (t) => {
    t.mock.method(process, 'emitWarning', () => {});
    const text = [
      'export async function a(b: { c: D }): Promise<{ e: F }> {',
      '  if (b) {',
      '    return g;',
      '  }',
      '}',
      'const h = async (i: J): Promise<K> => {',
      '  for (const l of m) {',
      '  }',
      '};',
      'class N {',
      '  o(): void {',
      '  }',
      '}',
      "describe('p', () => {",
      '  q = {',
      '    r() {',
      '    },',
      '    s: (t) => {',
      '    },',
      '  };',
      '});',
    ].join('\n');
    assert.deepEqual(
      functionsOf(text).map(({ name, line, lines }) => [name, line, lines]),
      [
        ['a', 1, 5],
        ['h', 6, 4],
        ['o', 11, 2],
        ['describe', 14, 8],
        ['r', 16, 2],
        ['s', 18, 2],
      ],
    );
  });
});
