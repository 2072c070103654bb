/** What of the other config the simulated world leaves out, so that even an exact answer is one but for that. */
import type { ChangedKey, ConfigPlan, RecordedConfig } from './config.ts';

export type Exception = {
  readonly key: string;
  /** The rest of a sentence that begins with the key. */
  readonly why: string;
};

/** Keys that the simulated world cannot follow, and why the record does not say. */
const NOT_FOLLOWED: Readonly<Record<string, string>> = {
  'health.path': 'the record does not say how the other path would have answered',
  'upstream.idleTimeoutMs': 'the record has no times within a response',
  'server.maxBodyBytes': 'requests that were refused for their size are not in the record',
  'server.paths': 'requests to paths that are not forwarded are not in the record',
  'server.shutdownTimeoutMs': 'what a stop cut off is taken as it was recorded',
};

/**
 * @param changed the keys that the other config changes
 * @param recorded the config of each run
 */
export function exceptionsIn(
  changed: readonly ChangedKey[],
  recorded: readonly RecordedConfig[],
  plan: ConfigPlan,
): Exception[] {
  const refused = new Set(recorded.flatMap((config) => plan.refusedKeys(config)));
  return [
    ...changed.flatMap((change) => exceptionOf(change) ?? []),
    ...[...refused].map((key) => ({
      key,
      why: 'has a recorded value that this Reprise refuses; its default stands in its place',
    })),
  ];
}

function exceptionOf({ key, before, after }: ChangedKey): Exception | undefined {
  const why = NOT_FOLLOWED[key];
  if (why !== undefined) return { key, why: `is left as it was: ${why}` };
  if (key !== 'backends') return undefined;
  const addresses = new Map(addressesIn(before));
  const moved = addressesIn(after).filter(([id, address]) => (addresses.get(id) ?? address) !== address);
  if (moved.length === 0) return undefined;
  const ids = moved.map(([id]) => id).join(', ');
  return {
    key,
    why: `gives another address to ${ids}: the answers stay those of the recorded one, since the record knows no other`,
  };
}

/** Of each backend its id and its address. */
function addressesIn(backends: unknown): [string, string][] {
  if (!Array.isArray(backends)) return [];
  return backends.map(({ id, protocol, host, port }) => [String(id), `${protocol}://${host}:${port}`]);
}
