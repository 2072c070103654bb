/**
 * The flags of the command line that set a key. They arrive as raw texts; what is right is judged where all other
 * values are, so that a wrong flag is listed among the other problems.
 */

import { fromTexts } from './formats.ts';
import type { Layer, Setting } from './layers.ts';
import type { Origin } from './problems.ts';
import type { Leaf } from './tree.ts';

/** The texts of the flags that were given. */
export type ConfigFlags = {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly adminPort?: string;
  readonly logLevel?: string;
  readonly backend?: readonly string[];
  /** A folder, or false for `--no-event-log`. */
  readonly eventLog?: string | false;
};

/** The flags besides `--config`, as they are typed, and the keys they set. */
const FLAGS = [
  { name: 'host', flag: '--host', key: 'server.host' },
  { name: 'port', flag: '--port', key: 'server.port' },
  { name: 'adminPort', flag: '--admin-port', key: 'admin.port' },
  { name: 'logLevel', flag: '--log-level', key: 'logging.level' },
  { name: 'backend', flag: '--backend', key: 'backends' },
] as const;

/** @returns the layer of the flags; `--config` is no part of it, since it says where to look, not what holds. */
export function readFlags(flags: ConfigFlags, leaves: ReadonlyMap<string, Leaf>): Layer {
  const layer = new Map<string, Setting>();
  for (const { name, flag, key } of FLAGS) {
    const given = flags[name];
    const leaf = leaves.get(key);
    if (given === undefined || leaf === undefined) continue;
    const texts = typeof given === 'string' ? [given] : given;
    layer.set(key, { value: fromTexts(texts, leaf), origin: { from: 'flag', name: flag } });
  }
  for (const [key, setting] of eventLogFlag(flags.eventLog)) layer.set(key, setting);
  return layer;
}

/** Who names a folder wants it written, whatever the file says. */
function eventLogFlag(given: string | false | undefined): Layer {
  if (given === undefined) return new Map();
  const origin: Origin = { from: 'flag', name: given === false ? '--no-event-log' : '--event-log' };
  const isOn: [string, Setting] = ['eventLog.enabled', { value: given !== false, origin }];
  return new Map(given === false ? [isOn] : [isOn, ['eventLog.dir', { value: given, origin }]]);
}
