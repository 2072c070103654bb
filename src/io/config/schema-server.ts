/** The keys of the listener for clients: where it listens, and what it puts up with. */
import type { CertificateConfig } from './certificates.ts';
import { count, GIB, KIB, MAX_TIMER_MS, MIB, port, timerMs } from './ranges.ts';
import type { Tree } from './tree.ts';

export type ServerConfig = {
  server: {
    host: string;
    port: number;
    maxBodyBytes: number;
    readAheadBytes: number;
    sendBufferBytes: number;
    headersTimeoutMs: number;
    bodyIdleTimeoutMs: number;
    idleReaderTimeoutMs: number;
    maxConnections: number;
    maxConnectionsPerAddress: number;
    shutdownTimeoutMs: number;
    paths: string[];
    exposeMetrics: boolean;
    tls: CertificateConfig[];
  };
};

export const serverKeys: Tree<ServerConfig> = {
  server: {
    host: {
      format: 'host',
      default: '127.0.0.1',
      shortEnv: 'REPRISE_HOST',
      restart: true,
      doc: 'Address that clients connect to.',
    },
    port: {
      ...port,
      default: 8080,
      shortEnv: 'REPRISE_PORT',
      restart: true,
      doc: 'Port that clients connect to; 0 takes any free port.',
    },
    maxBodyBytes: {
      ...count(1, 16 * GIB),
      default: 32 * MIB,
      doc: 'Largest request body that is taken; a larger one is answered with 413.',
    },
    readAheadBytes: {
      ...count(0, 16 * GIB),
      default: 64 * MIB,
      doc: 'Memory in all for reading long bodies ahead of slow backends, so that clients that leave are noticed.',
    },
    sendBufferBytes: {
      ...count(1024, GIB),
      default: 64 * KIB,
      restart: true,
      doc: 'Bytes of an answer kept for a client that reads slowly; beyond, its backend has to wait.',
    },
    headersTimeoutMs: {
      ...timerMs,
      default: 60_000,
      restart: true,
      doc: 'Time within which a client must send the head of a request.',
    },
    bodyIdleTimeoutMs: {
      ...timerMs,
      default: 60_000,
      doc: 'Longest silence of a client within the body of its request.',
    },
    idleReaderTimeoutMs: {
      ...timerMs,
      default: 60_000,
      doc: 'How long a client may read nothing while part of its answer waits; then it is cut off.',
    },
    maxConnections: {
      ...count(0, 1_000_000),
      default: 20_000,
      doc: 'Connections that clients may have in all, answered with 503 beyond; 0 for any number.',
    },
    maxConnectionsPerAddress: {
      ...count(0, 1_000_000),
      default: 0,
      doc: 'Connections one address may have, answered with 429 beyond; 0 (as behind a proxy) for any number.',
    },
    shutdownTimeoutMs: {
      ...count(0, MAX_TIMER_MS),
      default: 30_000,
      doc: 'How long requests in flight may take to finish after SIGTERM.',
    },
    paths: {
      format: 'pathPatterns',
      default: ['/v1/*', '/api/*'],
      doc: 'Paths that are forwarded: exact, or a prefix that ends in /*.',
    },
    exposeMetrics: {
      format: 'trueOrFalse',
      default: false,
      doc: 'Whether GET /metrics is also answered on this port, to anybody who reaches it.',
    },
    tls: {
      format: 'certificates',
      default: [],
      doc: 'Certificates for clients, each { certFile, keyFile }; without any, plain HTTP is served.',
    },
  },
};
