/**
 * The server that clients connect to: plain HTTP, or HTTP over TLS where there are certificates. Which certificate a
 * client gets is looked up at each handshake, so that renewed ones count from the next connection on and nothing that is
 * open is touched. HTTP/1.1 only: no other protocol is offered (RFC 7301).
 */
import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerCertificate } from './config/pem-files.ts';

export type ClientPort = {
  readonly server: Server;
  /** Whether TLS is spoken on it. */
  readonly isSecure: boolean;
  /** Takes the certificates that are in force now for every connection to come. */
  renew(): void;
};

/** @param certificates those in force; whether there are any is decided once, when the port is made */
export function createClientPort(
  options: ServerOptions,
  certificates: () => readonly ServerCertificate[],
): ClientPort {
  const [first] = certificates();
  if (first === undefined) return { server: createHttpServer(options), isSecure: false, renew() {} };
  const server = createHttpsServer({
    ...options,
    ...first.options,
    handshakeTimeout: options.headersTimeout,
    ALPNProtocols: ['http/1.1'],
    SNICallback(name, done) {
      const known = certificates();
      done(null, (known.find((each) => each.certificate.checkHost(name)) ?? known[0] ?? first).context);
    },
  });
  // Node would take a failed handshake for a bad request, and answer it.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return {
    server,
    isSecure: true,
    renew() {
      // For clients that ask for no name.
      const [next] = certificates();
      if (next !== undefined) server.setSecureContext(next.options);
    },
  };
}
