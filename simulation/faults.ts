/** Everything that can go wrong in a simulated world. Each seed switches some of it on (swarm testing). */

/** Those that make a backend behave otherwise for a while. */
export const BACKEND_FAULTS = [
  /** A backend dies: what was open is reset, what is new is refused. */
  'crash',
  /** It takes connections and answers nothing, probes included. */
  'hang',
  /** Only its health check hangs. */
  'hangProbe',
  /** Its probes fail and succeed around the thresholds. */
  'flap',
  /** Its connections are refused while its probes succeed. */
  'refuse',
  /** Its connections take longer to open than is waited for. */
  'slowConnect',
  /** It answers much later than usual. */
  'late',
  /** It breaks off in the middle of an answer. */
  'half',
  /** It closes the connection in place of an answer. */
  'empty',
  /** It answers 429, 502 or 503, some with Retry-After. */
  'overload',
  /** It answers 500 and nonsense. */
  'error',
  /** It closes idle sockets early, also just as one is used. */
  'closeIdle',
  /** It closes the socket behind its answer. */
  'closeBehind',
] as const;

export type BackendFault = (typeof BACKEND_FAULTS)[number];

/** In the order in which a seed draws them: another order would be another world for every seed. */
export const FAULTS = [
  ...BACKEND_FAULTS,
  /** Clients leave, in any phase. */
  'abort',
  /** Clients read slowly. */
  'slowReaders',
  /** Bodies that cannot be sent a second time. */
  'uploads',
  /** WebSockets, which last until one side ends them. */
  'tunnels',
  /** Operators drain and restore. */
  'drain',
  /** The config is reloaded with another one. */
  'reload',
  /** A reload finds a config that is not valid. */
  'badReload',
  /** A reload removes every backend. */
  'removeAll',
  /** A reload moves backends to other addresses. */
  'move',
  /** Timers fire late. */
  'lateTimers',
  /** Much more comes than can be served. */
  'flood',
  /** The gateway is told to stop at the end of the run while there is traffic. */
  'stop',
  /** The disk of the event log fills, fails and hangs. */
  'disk',
] as const;

export type Fault = (typeof FAULTS)[number];
