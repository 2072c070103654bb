/**
 * Convict applies settings to the schema and validates them. It is made strict here: our formats do no coercion, and
 * each fault is reported as it is found, since convict itself joins all of them into one text.
 */

import convict from 'convict';
import { readBackends } from './backends.ts';
import { expectedBy, type Fault, type FormatSpec, faultsIn } from './formats.ts';
import { canonicalHost } from './hosts.ts';
import { type Config, schema } from './schema.ts';
import { isLeaf, type Leaf, leavesOf, type Section } from './tree.ts';

export type KeyFault = Fault & { readonly key: string };
type Report = (fault: Fault) => void;
type JudgedLeaf = Leaf & { readonly report: Report };

const FORMATS: readonly FormatSpec['format'][] = [
  'wholeNumber',
  'decimal',
  'trueOrFalse',
  'folder',
  'secret',
  'optionalFile',
  'choice',
  'choices',
  'requestPath',
  'pathPatterns',
  'certificates',
  'backends',
];

// Named formats, because convict guesses a coercion from the default's type when a format is a bare function; and names
// of our own, because it coerces its own `boolean`.
for (const name of FORMATS) convict.addFormat({ name, validate });
convict.addFormat({ name: 'host', validate, coerce: canonicalHost });

/**
 * @param values - raw values by key; keys that are left out take their default.
 * @returns the configuration and every fault in the values. With faults the configuration is not fit for use.
 */
export function judge(
  values: ReadonlyMap<string, unknown>,
  isTerminal: boolean,
): { config: Config; faults: readonly KeyFault[] } {
  const faults: KeyFault[] = [];
  const tree = schema(isTerminal);
  const reporting = withReports(tree, '', (key, fault) => faults.push({ ...fault, key }));
  const settings = convict<Config>(reporting as convict.Schema<Config>, { args: [], env: {} });
  for (const [key, value] of values) settings.set(key, value);
  try {
    settings.validate({ allowed: 'strict' });
  } catch (error) {
    if (faults.length === 0) throw error;
  }
  // Convict looks at short keys before long ones; people read in the order of the schema.
  const order = [...leavesOf(tree).keys()];
  faults.sort((one, other) => order.indexOf(one.key) - order.indexOf(other.key));
  const config = settings.getProperties();
  return { config: { ...config, backends: readBackends(config.backends).backends }, faults };
}

function validate(value: unknown, node: convict.SchemaObj): void {
  const leaf = node as JudgedLeaf;
  const faults = faultsIn(value, leaf);
  for (const fault of faults) leaf.report(fault);
  if (faults.length > 0) throw new Error(expectedBy(leaf));
}

function withReports(section: Section, prefix: string, report: (key: string, fault: Fault) => void): Section {
  return Object.fromEntries(
    Object.entries(section).map(([name, node]) => {
      const key = prefix + name;
      return [
        name,
        isLeaf(node)
          ? { ...node, report: (fault: Fault) => report(key, fault) }
          : withReports(node, `${key}.`, report),
      ];
    }),
  );
}
