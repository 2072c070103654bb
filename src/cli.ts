/**
 * The command line: `reprise serve` (the default) and `reprise config`. It only finds out what is wanted; all
 * values are judged by the config loader, so that one message lists everything that is wrong.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, CommanderError, Help, Option } from 'commander';
import { registerExplain } from './io/commands/explain.ts';
import { registerInspect } from './io/commands/inspect.ts';
import { registerReplay } from './io/commands/replay.ts';
import { registerStatus } from './io/commands/status.ts';
import { registerWhatIf } from './io/commands/whatif.ts';
import { describeConfig, formatTable } from './io/config/describe.ts';
import type { ConfigFlags } from './io/config/flags.ts';
import { nearest } from './io/config/nearest.ts';
import { loadServingConfig } from './io/config/pem-files.ts';
import { ConfigError, formatOrigin } from './io/config/problems.ts';
import { withoutSecrets } from './io/config/secrets.ts';
import type { InspectMode } from './io/welcome.ts';

type ServeFlags = ConfigFlags & { readonly inspect?: InspectMode };

/** From sysexits.h: EX_USAGE and EX_CONFIG, which service managers know. */
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;
const EXIT_FAILURE = 1;

const COMMANDS: readonly string[] = ['serve', 'config', 'explain', 'inspect', 'replay', 'status', 'whatif'];
const HINT = 'Run "reprise --help" for the commands and flags.';

run(process.argv.slice(2)).then(
  (code) => {
    // Left alone on success, so that the daemon may have set a code of its own.
    if (code !== 0) process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`reprise: ${messageOf(error)}\n`);
    process.exitCode = EXIT_FAILURE;
  },
);

async function run(args: readonly string[]): Promise<number> {
  try {
    await buildProgram(nearestVersion()).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`reprise: ${error.message}\n`);
      return EXIT_CONFIG;
    }
    // Commander has written its message already; help and version arrive here with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    throw error;
  }
}

function buildProgram(version: string): Command {
  const program = new Command('reprise')
    .description('Load-balancing reverse proxy for OpenAI-compatible LLM servers.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError(HINT)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'reprise: ')) });

  const serve = withConfigFlags(program.command('serve', { isDefault: true }))
    .description('serve (the default command)')
    .addOption(
      new Option(
        '--inspect [mode]',
        'serve only: say where the inspector is, or (=stately) how to watch in the hosted one of Stately',
      ).choices(['stately']),
    )
    // A mistyped command ends up here, as an argument of the default command.
    .allowExcessArguments()
    .action(async ({ inspect, ...flags }: ServeFlags, command: Command) => {
      refuseArguments(command);
      await serveWith(flags, inspect, version);
    });

  withConfigFlags(program.command('config'))
    .description('print the effective configuration and where each value came from')
    .option('--json', 'print it as JSON')
    .action(({ json, ...flags }: ConfigFlags & { json?: true }) => printConfig(flags, json === true));
  registerExplain(program);
  registerInspect(program);
  registerReplay(program);
  registerStatus(program);
  registerWhatIf(program);

  return program.addHelpText('after', () => `\nFlags of serve and config:\n${optionLines(serve)}`);
}

function withConfigFlags(command: Command): Command {
  return command
    .option('--config <file>', 'JSON file to read (REPRISE_CONFIG)')
    .option('--host <host>', 'address to listen on (REPRISE_HOST)')
    .option('--port <port>', 'port to listen on; 0 takes any free one (REPRISE_PORT)')
    .option('--admin-port <port>', 'port of the admin API (REPRISE_ADMIN_PORT)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent (REPRISE_LOG_LEVEL)')
    .option('--event-log <dir>', 'folder to record into (REPRISE_EVENT_LOG_DIR)')
    .option('--no-event-log', 'record nothing (REPRISE_EVENT_LOG_ENABLED=false)')
    .option(
      '--backend <backend>',
      'HOST:PORT or URL, then optionally ,weight=N and ,id=X; may be given again (REPRISE_BACKENDS)',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    );
}

async function serveWith(flags: ConfigFlags, inspect: ServeFlags['inspect'], version: string): Promise<void> {
  // Before the config is read and all is loaded: a reload asked for during the start is what the start does anyway.
  process.on('SIGHUP', () => {});
  const reload = () => loadServingConfig({ flags, env: process.env, isTerminal: isTerminal() });
  const loaded = reload();
  // Loaded late, so that a wrong config and the other commands answer at once.
  const { serve } = await import('./main.ts');
  await serve({ loaded, reload, version, inspect });
}

function printConfig(flags: ConfigFlags, asJson: boolean): void {
  const loaded = loadServingConfig({ flags, env: process.env, isTerminal: isTerminal() });
  if (!asJson) {
    process.stdout.write(`${formatTable(describeConfig(loaded))}\n`);
    return;
  }
  const origins = Object.fromEntries([...loaded.origins].map(([key, origin]) => [key, formatOrigin(origin)]));
  const { file = null } = loaded;
  const config = withoutSecrets(loaded.config);
  process.stdout.write(`${JSON.stringify({ file, config, origins }, null, 2)}\n`);
}

function refuseArguments(command: Command): void {
  const [word] = command.args;
  if (word === undefined) return;
  if (COMMANDS.includes(word)) command.error(`reprise: the command '${word}' must stand before its flags`);
  const guess = nearest(word, COMMANDS);
  command.error(
    `reprise: unknown command '${word}'${guess === undefined ? '' : ` (did you mean ${guess}?)`}`,
  );
}

function optionLines(command: Command): string {
  const help = new Help();
  return help
    .visibleOptions(command)
    .map((option) => `  ${help.optionTerm(option).padEnd(22)}${help.optionDescription(option)}`)
    .join('\n');
}

/** Looks upward from this file, since it runs as `src/cli.ts` and, compiled, as `dist/src/cli.js`. */
function nearestVersion(folder = import.meta.dirname): string {
  try {
    const content: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof content === 'object' && content !== null && 'version' in content)
      return String(content.version);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const parent = dirname(folder);
  return parent === folder ? 'unknown' : nearestVersion(parent);
}

function isTerminal(): boolean {
  return process.stdout.isTTY === true;
}

/** A failure of the system (a port in use, for example) needs no stack; anything else is our own mistake. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? error.message : (error.stack ?? error.message);
}
