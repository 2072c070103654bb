/** Values for the keys of the configuration, right ones and wrong ones, made from the schema's own formats. */
import fc from 'fast-check';
import type { FormatSpec } from '../../src/io/config/formats.ts';
import { schema } from '../../src/io/config/schema.ts';
import { leavesOf } from '../../src/io/config/tree.ts';

/** A configuration file, and the keys of which it must be said that they are wrong. */
export type Draft = { readonly file: object; readonly bad: readonly string[] };

type Setting = { readonly key: string; readonly value: unknown; readonly isBad: boolean };

const LEAVES = [...leavesOf(schema(false))];
const NEVER_RIGHT = [{ a: 1 }, [[]], 'wrong \0 value', -7.5, [5]];

function right(spec: FormatSpec): fc.Arbitrary<unknown> {
  switch (spec.format) {
    case 'wholeNumber':
      return fc.oneof(fc.integer(spec), fc.constantFrom(spec.min, spec.max));
    case 'decimal':
      return fc.constantFrom(spec.min, spec.max, (spec.min + spec.max) / 2);
    case 'trueOrFalse':
      return fc.boolean();
    case 'host':
      return fc.constantFrom('127.0.0.1', '::1', 'localhost', 'gpu-1.internal');
    case 'folder':
      return fc.constantFrom('./data', '../x', 'a b');
    case 'secret':
      return fc.constantFrom('', 'x'.repeat(16), 'y'.repeat(200));
    case 'optionalFile':
      return fc.constant('');
    case 'choice':
      return fc.constantFrom(...spec.choices);
    case 'choices':
      return fc.subarray([...spec.choices]);
    case 'requestPath':
      return fc.constantFrom('/', '/health?a=b', '/%20');
    case 'pathPatterns':
      return fc.constantFrom(['/*'], ['/v1/*', '/x']);
    case 'certificates':
      return fc.constant([]);
    case 'backends':
      return fc.constantFrom(
        [],
        [
          { host: 'a', port: 1 },
          { url: 'http://b:2', weight: 3 },
        ],
      );
  }
}

function wrong(spec: FormatSpec): fc.Arbitrary<unknown> {
  switch (spec.format) {
    case 'wholeNumber':
    case 'decimal':
      return fc.constantFrom<unknown>(spec.min - 1, spec.max + 1, '5', ...NEVER_RIGHT);
    case 'trueOrFalse':
      return fc.constantFrom<unknown>('true', 1, ...NEVER_RIGHT);
    case 'secret':
      return fc.constantFrom<unknown>('short', 'with a space in it', ...NEVER_RIGHT);
    case 'pathPatterns':
      return fc.constantFrom<unknown>([], ['v1'], ['/a', '/a'], ...NEVER_RIGHT);
    case 'backends':
      return fc.constantFrom<unknown>([{}], [{ host: 'a', port: 70_000 }], [{ url: 'x' }], ...NEVER_RIGHT);
    default:
      return fc.constantFrom<unknown>(...NEVER_RIGHT);
  }
}

const setting = fc.constantFrom(...LEAVES).chain(([key, leaf]): fc.Arbitrary<Setting> => {
  const good = right(leaf).map((value) => ({ key, value, isBad: false }));
  const bad = wrong(leaf).map((value) => ({ key, value, isBad: true }));
  const unknown = fc.constantFrom('colour', 'max', 'constructor').map((name) => {
    const section = key.includes('.') ? key.slice(0, key.lastIndexOf('.') + 1) : '';
    const other = `${section}${name}`;
    return { key: other, value: 1, isBad: LEAVES.every(([known]) => known !== other) };
  });
  return fc.oneof(
    { weight: 30, arbitrary: good },
    { weight: 3, arbitrary: bad },
    { weight: 1, arbitrary: unknown },
  );
});

/** Any of these: some with nothing wrong, some with much. */
export const drafts: fc.Arbitrary<Draft> = fc
  .uniqueArray(setting, { selector: ({ key }) => key, maxLength: 25, size: 'max' })
  .map((settings) => ({
    file: nested(settings),
    bad: settings.filter(({ isBad }) => isBad).map(({ key }) => key),
  }));

type Node = { [name: string]: unknown };

function nested(settings: readonly Setting[]): Node {
  const root: Node = {};
  for (const { key, value } of settings) {
    const names = key.split('.');
    const last = names.pop() ?? '';
    let node = root;
    for (const name of names) {
      const next = Object.hasOwn(node, name) ? node[name] : undefined;
      const child: Node = isNode(next) ? next : {};
      node[name] = child;
      node = child;
    }
    node[last] = value;
  }
  return root;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}
