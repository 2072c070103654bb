/** Runs `reprise status`: finds the gateway, asks it, and prints what it says, once or each second. */
import { loadConfig } from '../config/load.ts';
import { paintFor, paintNothing } from '../explain/format.ts';
import { addressOf, parseAddress } from '../status/address.ts';
import { type AdminListener, askGateway, NoGatewayError } from '../status/ask.ts';
import { statusAsJson, statusAsText } from '../status/text.ts';
import { watch } from '../status/watch.ts';

export type StatusFlags = {
  readonly watch?: true;
  readonly admin?: string;
  readonly config?: string;
  readonly adminPort?: string;
  readonly json?: true;
};

const EXIT_NO_GATEWAY = 1;

/**
 * @param refuse ends the command with a message about a wrong flag; it throws
 * @returns the exit code
 * @throws ConfigError if the configuration is not valid
 */
export async function runStatus(flags: StatusFlags, refuse: (message: string) => never): Promise<number> {
  const gateway = findGateway(flags, refuse);
  const { url } = gateway;
  const { stdout } = process;
  const paint = stdout.isTTY ? paintFor(stdout) : paintNothing;
  const show = async (signal: AbortSignal) => {
    const backends = await askGateway(gateway, signal);
    return flags.json ? [statusAsJson(url, backends)] : statusAsText(url, backends, Date.now(), paint);
  };
  if (flags.watch === true) {
    await watch(show, stdout, flags.json ? 'lines' : 'frames', stopSignal());
    return 0;
  }
  try {
    const lines = await show(new AbortController().signal);
    stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof NoGatewayError)) throw error;
    process.stderr.write(`reprise: ${error.message}\n`);
    return EXIT_NO_GATEWAY;
  }
}

function findGateway(flags: StatusFlags, refuse: (message: string) => never): AdminListener {
  const { admin, config, adminPort } = flags;
  if (admin !== undefined) {
    const url = parseAddress(admin);
    // Not the one of a file, which may be another gateway's.
    const token = process.env.REPRISE_ADMIN_TOKEN ?? '';
    return url !== undefined
      ? { url, token }
      : refuse(`--admin ${admin} is neither HOST:PORT nor an http URL`);
  }
  const loaded = loadConfig({
    flags: { ...(config === undefined ? {} : { config }), ...(adminPort === undefined ? {} : { adminPort }) },
    env: process.env,
    isTerminal: process.stdout.isTTY === true,
  });
  const { host, port, token } = loaded.config.admin;
  if (port === 0) return refuse('admin.port is 0, so the gateway took any free port; say which with --admin');
  return { url: addressOf(host, port), token };
}

/** Aborts at Ctrl-C and its like, and when whoever reads the output has gone. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  process.stdout.once('error', () => stop.abort());
  return stop.signal;
}
