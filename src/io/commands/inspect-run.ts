/** Runs `reprise inspect`: serves the inspector's page over a recorded log, on loopback, until it is told to stop. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { problem, send } from '../admin/answer.ts';
import { createGuard } from '../admin/guard.ts';
import { createTokenCheck } from '../admin/token.ts';
import { findSegments, LogRefusedError } from '../event-log/reader-files.ts';
import { createInquiry, type Inquiry } from '../inspector/inquiry.ts';
import { isInspectorPath, serveInspector, urlOf } from '../inspector/routes.ts';
import { listenAll, portOf } from '../listening.ts';

/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;
const HOST = '127.0.0.1';
const MAX_PORT = 65_535;

/**
 * @param refuse ends the command with a message about a wrong flag; it throws
 * @returns the exit code, once a signal has come
 */
export async function runInspect(
  path: string,
  flags: { readonly port: string; readonly open?: true },
  refuse: (message: string) => never,
): Promise<number> {
  if (!/^\d{1,5}$/.test(flags.port) || Number(flags.port) > MAX_PORT) {
    return refuse(`--port ${flags.port} must be a whole number from 0 to ${MAX_PORT}`);
  }
  try {
    await findSegments(path);
  } catch (error) {
    if (!(error instanceof LogRefusedError)) throw error;
    process.stderr.write(`reprise: ${error.message}\n`);
    return EXIT_USAGE;
  }
  const title = resolve(path);
  const inquiry = createInquiry({
    path: title,
    setup: () => ({
      isLive: false,
      source: { kind: 'recording', title, version: '', canChange: false },
    }),
    // Reading it anew would make who comes back wait.
    idleMs: undefined,
  });
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const server = createPageServer(inquiry);
  await listenAll([[server, { host: HOST, port: Number(flags.port) }]]);
  const url = `http://${HOST}:${portOf(server)}/inspector/`;
  process.stdout.write(`The inspector shows ${title} at ${url}\nCtrl-C ends it.\n`);
  // Begins to read before the page asks.
  void inquiry.ask({ ask: 'overview', buckets: 1, notes: [] });
  if (flags.open === true) openBrowser(url);
  await stopped;
  server.closeAllConnections();
  server.close();
  await inquiry.close();
  return 0;
}

function createPageServer(inquiry: Inquiry) {
  const guard = createGuard(HOST, createTokenCheck(''));
  const options = { ask: inquiry.ask, notes: () => [] };
  return createServer((request, response) => {
    request.resume();
    const { pathname } = urlOf(request);
    const refusal = guard.refuse(request, pathname);
    if (refusal !== undefined) send(response, refusal);
    else if (isInspectorPath(pathname)) {
      serveInspector(options, request, response).catch((error: unknown) =>
        send(response, { status: 500, body: problem('internal_error', String(error)) }),
      );
    } else {
      const message = `Nothing is served at ${pathname}; the page is at /inspector/.`;
      send(response, { status: 404, body: problem('not_found', message) });
    }
  });
}

/** That there is no browser is no reason to fail; the address has been printed. */
function openBrowser(url: string): void {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  spawn(command, [url], { stdio: 'ignore', detached: true })
    .on('error', () => process.stderr.write(`reprise: cannot open a browser (${command}); open ${url}\n`))
    .unref();
}
