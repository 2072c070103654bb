/** The part of the configuration that decisions depend on. */

/** A backend as the core needs to know it. `id` is unique within a config. */
export type BackendSettings = {
  readonly id: string;
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** A whole number, 1 to 1000. */
  readonly weight: number;
};

/**
 * What a request may be retried for beyond what is always safe: that its backend was lost before the first response
 * byte, or answered with a status of which nothing has gone to the client yet.
 */
export type RetryCondition = 'emptyResponse' | '429' | '502' | '503';

/** When a backend that probes call healthy is taken out, since real requests fail there. */
export type OutlierSettings = {
  /** Failures in a row that eject a backend; 0 ejects none. */
  readonly consecutiveFailures: number;
  /** How long it is out the first time; the n-th time in short order n times as long. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** The share of the configured backends that may be out at once, 0 to 1. */
  readonly maxEjectedShare: number;
};

/**
 * The part of the configuration that decisions depend on; it travels in facts so that replay has it. What is optional
 * came later than the first logs: absent, it means that there is no such thing, as it was then.
 */
export type CoreConfig = {
  readonly backends: readonly BackendSettings[];
  readonly health: {
    readonly fall: number;
    readonly rise: number;
    readonly initial: 'healthy' | 'unhealthy';
    /** How long a backend that comes back takes to get its whole share; 0 is no time. */
    readonly slowStartMs?: number;
  };
  readonly pool: {
    /** Sockets a backend may have, idle and leased together. */
    readonly size: number;
    readonly idleTimeoutMs: number;
    /** Age at which a socket serves no further request; 0 is no limit. */
    readonly maxLifetimeMs?: number;
    readonly queue: { readonly max: number; readonly timeoutMs: number };
  };
  readonly retry: {
    /** How many further attempts a request may have after its first. */
    readonly attempts: number;
    readonly on: readonly RetryCondition[];
    /**
     * How many retries of requests that a backend had got there may be within a window, as a share of the requests in
     * it. Both or neither.
     */
    readonly budgetShare?: number;
    readonly budgetWindowMs?: number;
  };
  readonly outlier?: OutlierSettings;
};
