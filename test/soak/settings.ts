/** The gateway's configuration in fault runs: every limit short, so that ten minutes see each of them reached often. */
export const BUFFER_BYTES = 65_536;
/** Long enough for a machine that is busy with other things, short enough for a frozen backend to reach them. */
const LIMITS_MS = { connect: 4_000, headers: 6_000, idle: 6_000, queue: 8_000 };

/**
 * @param backends as the config file has them
 * @param streams how many clients hold a stream
 */
export function settingsFor(backends: readonly object[], streams: number): object {
  return {
    backends,
    health: { intervalMs: 500, timeoutMs: 4_000, fall: 2, rise: 1, slowStartMs: 1_000 },
    pool: {
      // Room for all with one of five backends away, and not with two.
      size: Math.ceil((1.1 * streams) / 4) + 1,
      idleTimeoutMs: 3_000,
      maxLifetimeMs: 20_000,
      sweepIntervalMs: 1_000,
      queue: { max: streams, timeoutMs: LIMITS_MS.queue },
    },
    upstream: {
      connectTimeoutMs: LIMITS_MS.connect,
      headersTimeoutMs: LIMITS_MS.headers,
      idleTimeoutMs: LIMITS_MS.idle,
    },
    retry: { bufferBytes: BUFFER_BYTES },
    outlier: { baseEjectionMs: 1_000, maxEjectionMs: 4_000 },
    eventLog: { segmentBytes: 4 * 1024 * 1024, maxBytes: 128 * 1024 * 1024 },
    logging: { level: 'warn', format: 'json' },
  };
}
