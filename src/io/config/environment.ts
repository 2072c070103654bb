/**
 * The variables `REPRISE_<SECTION>_<KEY>`, one for every key, with short names beside a few. A variable that begins
 * with `REPRISE_` and is not known is a problem, so that a typo does not pass silently.
 */

import { fromTexts, splitList } from './formats.ts';
import type { ReadLayer, Setting } from './layers.ts';
import { nearest } from './nearest.ts';
import { type ConfigProblem, type Origin, preview, problem } from './problems.ts';
import type { Leaf } from './tree.ts';

const PREFIX = 'REPRISE_';
const NAMING = 'the variable of a key is its path in capitals, such as REPRISE_POOL_SIZE for pool.size';
export const CONFIG_VARIABLE = 'REPRISE_CONFIG';

/** @returns the variable of a key: `REPRISE_POOL_IDLE_TIMEOUT_MS` for `pool.idleTimeoutMs`. */
export function variableOf(key: string): string {
  return (
    PREFIX +
    key
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .replaceAll('.', '_')
      .toUpperCase()
  );
}

/** Reads the variables; an empty one counts as unset. Variables outside `REPRISE_*` are not looked at. */
export function readEnvironment(env: NodeJS.ProcessEnv, leaves: ReadonlyMap<string, Leaf>): ReadLayer {
  const layer = new Map<string, Setting>();
  const problems: ConfigProblem[] = [];
  for (const [key, leaf] of leaves) {
    const long = variableOf(key);
    const names = leaf.shortEnv === undefined ? [long] : [leaf.shortEnv, long];
    const [first, second] = names.filter((name) => isSet(env, name) && !isServiceLink(name, env));
    if (first === undefined) continue;
    const text = env[first] ?? '';
    const origin = fromVariable(first);
    const isList = leaf.format === 'backends' || leaf.format === 'certificates';
    const texts = isList ? splitList(text, ';') : [text];
    layer.set(key, { value: fromTexts(texts, leaf), origin });
    if (second !== undefined && env[second] !== text) {
      const expected = `must be the same as ${second} (${preview(env[second])}), or one of the two left out`;
      problems.push(problem(key, text, origin, expected));
    }
  }
  return { layer, problems: [...problems, ...unknownVariables(env, leaves)] };
}

function unknownVariables(env: NodeJS.ProcessEnv, leaves: ReadonlyMap<string, Leaf>): ConfigProblem[] {
  const known = new Set([CONFIG_VARIABLE]);
  for (const [key, leaf] of leaves) {
    known.add(variableOf(key));
    if (leaf.shortEnv !== undefined) known.add(leaf.shortEnv);
  }
  const suffixes = [...known].map((name) => name.slice(PREFIX.length));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && isSet(env, name))
    .filter((name) => !known.has(name) && !isServiceLink(name, env))
    .sort()
    .map((name) => {
      const guess = nearest(name.slice(PREFIX.length), suffixes);
      const hint = guess === undefined ? NAMING : `did you mean ${PREFIX}${guess}?`;
      // The value is not shown: nobody knows what a variable that we do not know holds.
      return problem(name, undefined, fromVariable(name), `is not a known variable; ${hint}`);
    });
}

/**
 * Kubernetes describes each Service to the pods beside it in variables named after the Service. A Service called
 * `reprise` thus yields REPRISE_PORT=tcp://10.0.0.7:80, REPRISE_SERVICE_HOST and others, which are not meant for us.
 * They are told from typos by coming as a set.
 */
function isServiceLink(name: string, env: NodeJS.ProcessEnv): boolean {
  const service = /^(REPRISE(?:_\w+?)??)_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_\w+)?)$/.exec(
    name,
  )?.[1];
  if (service === undefined) return false;
  return isSet(env, `${service}_SERVICE_HOST`) && /^(?:tcp|udp|sctp):\/\//.test(env[`${service}_PORT`] ?? '');
}

function isSet(env: NodeJS.ProcessEnv, name: string): boolean {
  return env[name] !== undefined && env[name] !== '';
}

function fromVariable(name: string): Origin {
  return { from: 'environment', name };
}
