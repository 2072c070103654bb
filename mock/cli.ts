/**
 * The mock as a command: `node mock/cli.ts --port 8001 --slots 4`. Says in one line where it listens, and can be
 * commanded from then on by `POST /mock/script`.
 */
import { parseArgs } from 'node:util';
import { FAULT_GRAMMAR } from './faults.ts';
import { checkScript, type MockScript } from './script.ts';
import { type Mock, startMock } from './server.ts';

/** Exit codes of sysexits.h. */
const EX_USAGE = 64;
const EX_UNAVAILABLE = 69;

const HELP = `Usage: node mock/cli.ts [--port 8001] [options]

A scripted OpenAI-compatible server, for demos, tests and benchmarks.

  --host HOST                    127.0.0.1
  --port PORT                    8001; 0 takes a free one
  --name NAME                    stands in every answer; mock-PORT
  --first-token-delay-ms N       0
  --token-gap-ms N               0
  --tokens N                     tokens of an answer; 16
  --slots N                      generations at a time; 0 means no limit
  --early-headers                send the head of a stream before its first token
  --fault FAULT                  fault that requests meet
  --fault-every N                only every Nth request meets it; 1
  --fault-on-reused-socket       only requests on a used socket meet it
  --health ok|hang|reset|STATUS  ok
  --health-delay-ms N            0
  --keep-alive-timeout-ms N      idle sockets are closed after; 5000, 0 means never
  --keep-alive-hint-ms N         send Keep-Alive: timeout=; unset sends none
  --connection-close             send Connection: close on each response
  --chunked                      send unstreamed bodies without Content-Length
  --body-bytes N                 size of /v1/blob; 1048576
  --script JSON                  any of the script's keys, laid over the flags
  --help

Faults: ${FAULT_GRAMMAR}
While it runs:  curl -d '{"fault":"reset-after=3"}' http://127.0.0.1:8001/mock/script
One request:    curl -H 'X-Mock-Fault: hang' ...
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const OPTIONS = {
  host: text,
  port: text,
  name: text,
  'first-token-delay-ms': text,
  'token-gap-ms': text,
  tokens: text,
  slots: text,
  'early-headers': flag,
  fault: text,
  'fault-every': text,
  'fault-on-reused-socket': flag,
  health: text,
  'health-delay-ms': text,
  'keep-alive-timeout-ms': text,
  'keep-alive-hint-ms': text,
  'connection-close': flag,
  chunked: flag,
  'body-bytes': text,
  script: text,
  help: flag,
} as const;

/** Flags whose script key is not the flag in camel case. */
const RENAMED: Readonly<Record<string, string>> = { tokens: 'tokenCount' };
const NOT_SCRIPT = new Set(['host', 'port', 'name', 'script', 'help']);

class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function main(args: readonly string[]): Promise<void> {
  const values = readFlags(args);
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const host = values.host ?? '127.0.0.1';
  const port = portOf(values.port ?? '8001');
  const script = scriptOf(values);
  const options = { host, port, script };
  const mock = await startMock(values.name === undefined ? options : { ...options, name: values.name });
  process.stdout.write(`${mock.name} listens on ${mock.url}\n`);
  stopOnSignal(mock);
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function portOf(given: string): number {
  const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port: must be a whole number from 0 to 65535, is '${given}'`);
}

/** The script that the flags and `--script` make; all problems are reported at once. */
function scriptOf(values: Readonly<Record<string, string | boolean | undefined>>): Partial<MockScript> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (NOT_SCRIPT.has(name) || value === undefined) continue;
    const key = RENAMED[name] ?? name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    fields[key] = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  }
  const check = checkScript({ ...fields, ...jsonOf(values.script) });
  if (!check.ok) throw new UsageError(check.problems.join('\n'));
  return check.changes;
}

function jsonOf(script: string | boolean | undefined): object {
  if (typeof script !== 'string') return {};
  try {
    const parsed: unknown = JSON.parse(script);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    throw new UsageError(`--script: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new UsageError('--script: must be a JSON object');
}

function stopOnSignal(mock: Mock): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // A mock has nothing to finish: its sockets are dropped, the loop runs empty and the process ends with 0.
    process.once(signal, () => void mock.close());
  }
}

function fail(error: unknown): void {
  // The script is checked before, so a TypeError speaks of the name.
  if (error instanceof UsageError || error instanceof TypeError) {
    process.stderr.write(`${error.message}\nTry: node mock/cli.ts --help\n`);
    process.exitCode = EX_USAGE;
    return;
  }
  const { code, message } =
    error instanceof Error ? systemErrorOf(error) : { code: '', message: String(error) };
  const reason = code === 'EADDRINUSE' ? 'the port is taken; choose another with --port' : message;
  process.stderr.write(`the mock cannot listen: ${reason} (${message})\n`);
  process.exitCode = EX_UNAVAILABLE;
}

function systemErrorOf(error: Error): { code: string; message: string } {
  return {
    code: 'code' in error && typeof error.code === 'string' ? error.code : '',
    message: error.message,
  };
}

main(process.argv.slice(2)).catch(fail);
