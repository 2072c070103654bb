/**
 * Every key of the configuration: its type, its default, its limits and one line on what it is for. This is the
 * convict schema; the variable names, the reference and the messages are all derived from it.
 */

import { count, DAY_MS, GIB, intervalMs, KIB, MAX_TIMER_MS, MIB, port, timerMs } from './ranges.ts';
import { type FailureConfig, failureKeys } from './schema-failures.ts';
import { type ServerConfig, serverKeys } from './schema-server.ts';
import type { Tree } from './tree.ts';

export type BackendConfig = {
  id: string;
  protocol: 'http' | 'https';
  /** Lower case; an IPv6 address without brackets. */
  host: string;
  port: number;
  /** A whole number, 1 to 1000. */
  weight: number;
};

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export type EventLogConfig = {
  enabled: boolean;
  dir: string;
  segmentBytes: number;
  maxBytes: number;
  maxAgeMs: number;
  checkpointEntries: number;
  bufferBytes: number;
  groupCommitMs: number;
  syncIntervalMs: number;
};

export type Config = ServerConfig &
  FailureConfig & {
    /** An empty token means that none is wanted. */
    admin: { host: string; port: number; token: string };
    backends: BackendConfig[];
    health: {
      path: string;
      intervalMs: number;
      timeoutMs: number;
      fall: number;
      rise: number;
      initial: 'healthy' | 'unhealthy';
      slowStartMs: number;
    };
    pool: {
      size: number;
      idleTimeoutMs: number;
      maxLifetimeMs: number;
      sweepIntervalMs: number;
      queue: { max: number; timeoutMs: number };
    };
    upstream: {
      http1: Http1;
      connectTimeoutMs: number;
      headersTimeoutMs: number;
      idleTimeoutMs: number;
      tunnelIdleTimeoutMs: number;
      tls: { caFile: string };
    };
    eventLog: EventLogConfig;
    logging: { level: LogLevel; format: 'pretty' | 'json' };
  };

const HTTP1 = ['builtin', 'undici'] as const;
/** What speaks HTTP/1.1 to backends. */
export type Http1 = (typeof HTTP1)[number];

const TIB = 1024 * GIB;
const WEEK_MS = 7 * DAY_MS;
const TEN_YEARS_MS = 3650 * DAY_MS;

/** @returns the schema; only the default of `logging.format` depends on whether logs go to a terminal. */
export function schema(isTerminal: boolean): Tree<Config> {
  return {
    ...serverKeys,
    ...gatewayKeys,
    ...upstreamKeys,
    ...failureKeys,
    ...eventLogKeys,
    logging: loggingKeys(isTerminal),
  };
}

const gatewayKeys: Tree<Pick<Config, 'admin' | 'backends'>> = {
  admin: {
    host: {
      format: 'host',
      default: '127.0.0.1',
      restart: true,
      doc: 'Address of the admin API; one that other machines reach wants a token.',
    },
    port: {
      ...port,
      default: 9900,
      restart: true,
      doc: 'Port of the admin API; 0 takes any free port.',
    },
    token: {
      format: 'secret',
      default: '',
      restart: true,
      doc: 'What the admin API must be sent; required unless admin.host is loopback, never shown.',
    },
  },
  backends: {
    format: 'backends',
    default: [],
    doc: 'The LLM servers, each { id?, host, port, weight=1 } or { url, id?, weight=1 }.',
  },
};

const upstreamKeys: Tree<Pick<Config, 'health' | 'pool' | 'upstream'>> = {
  health: {
    path: {
      format: 'requestPath',
      default: '/health',
      doc: 'Path that a probe asks for; any 2xx is a success.',
    },
    intervalMs: { ...intervalMs, default: 5000, doc: 'Time between two probes of a backend.' },
    timeoutMs: { ...timerMs, default: 2000, doc: 'Time within which a probe must be answered.' },
    fall: { ...count(1, 1000), default: 3, doc: 'Consecutive failures that make a backend unhealthy.' },
    rise: { ...count(1, 1000), default: 2, doc: 'Consecutive successes that make a backend healthy.' },
    initial: {
      format: 'choice',
      choices: ['healthy', 'unhealthy'],
      default: 'healthy',
      doc: 'State of a new backend until its probes say otherwise.',
    },
    slowStartMs: {
      ...count(0, MAX_TIMER_MS),
      default: 0,
      doc: 'Time over which a backend that comes back gets its weight and sockets back step by step; 0 is at once.',
    },
  },
  pool: {
    size: { ...count(1, 10_000), default: 10, doc: 'Sockets a backend may have, idle and leased together.' },
    idleTimeoutMs: { ...timerMs, default: 60_000, doc: 'How long an idle socket is kept.' },
    maxLifetimeMs: {
      ...count(0, MAX_TIMER_MS),
      default: 600_000,
      doc: 'Age at which a socket serves no further request, so that DNS is followed; 0 is no limit.',
    },
    sweepIntervalMs: {
      ...intervalMs,
      default: 30_000,
      doc: 'Time between two searches for sockets that are idle for too long or too old.',
    },
    queue: {
      max: {
        ...count(0, 1_000_000),
        default: 1000,
        doc: 'Requests that may wait for a socket; 0 refuses at once when all pools are full.',
      },
      timeoutMs: { ...timerMs, default: 30_000, doc: 'How long a request may wait for a socket.' },
    },
  },
  upstream: {
    http1: {
      format: 'choice',
      choices: HTTP1,
      default: 'builtin',
      doc: 'What speaks HTTP/1.1 over new connections to backends: Reprise, or undici, which costs more CPU.',
    },
    connectTimeoutMs: { ...timerMs, default: 5000, doc: 'Time within which a connection must open.' },
    headersTimeoutMs: {
      ...timerMs,
      default: 300_000,
      doc: 'Time from the request to the first byte of the response; prefill counts.',
    },
    idleTimeoutMs: {
      ...timerMs,
      default: 300_000,
      doc: 'Longest silence within a response before it is given up.',
    },
    tunnelIdleTimeoutMs: {
      ...timerMs,
      default: 3_600_000,
      doc: 'How long both sides of a WebSocket may be silent before it is closed.',
    },
    tls: {
      caFile: {
        format: 'optionalFile',
        default: '',
        doc: 'PEM file of certificate authorities that https backends may be signed by, besides the well-known ones.',
      },
    },
  },
};

const eventLogKeys: Tree<Pick<Config, 'eventLog'>> = {
  eventLog: {
    enabled: {
      format: 'trueOrFalse',
      default: true,
      restart: true,
      doc: 'Whether every fact and decision is recorded.',
    },
    dir: {
      format: 'folder',
      default: './data/events',
      restart: true,
      doc: 'Folder of the event log; each gateway needs its own.',
    },
    segmentBytes: {
      ...count(64 * KIB, 16 * GIB),
      default: 64 * MIB,
      doc: 'Size at which a file of the event log is closed and the next begun.',
    },
    maxBytes: {
      ...count(MIB, 1024 * TIB),
      default: GIB,
      doc: 'Size of the whole event log beyond which its oldest files are removed.',
    },
    maxAgeMs: {
      ...count(60_000, TEN_YEARS_MS),
      default: WEEK_MS,
      doc: 'Age beyond which a file of the event log is removed.',
    },
    checkpointEntries: {
      ...count(1, 100_000_000),
      default: 10_000,
      doc: 'Entries between two checkpoints, each a hash of the state of the core.',
    },
    bufferBytes: {
      ...count(64 * KIB, GIB),
      default: 8 * MIB,
      doc: 'Bytes that may wait for a slow disk; entries beyond are dropped, counted and marked.',
    },
    groupCommitMs: {
      ...count(0, 10_000),
      default: 50,
      doc: 'How long entries are collected before they are written together.',
    },
    syncIntervalMs: {
      ...count(10, DAY_MS),
      default: 1000,
      doc: 'How long written entries may wait until they are forced to the disk (fdatasync).',
    },
  },
};

function loggingKeys(isTerminal: boolean): Tree<Config['logging']> {
  return {
    level: {
      format: 'choice',
      choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      default: 'info',
      shortEnv: 'REPRISE_LOG_LEVEL',
      doc: 'Least severe messages that are logged.',
    },
    format: {
      format: 'choice',
      choices: ['pretty', 'json'],
      default: isTerminal ? 'pretty' : 'json',
      defaultDoc: 'pretty on a terminal, else json',
      restart: true,
      doc: 'Form of the log: for eyes or for machines.',
    },
  };
}
