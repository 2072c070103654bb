/** `reprise whatif`: what it takes on the command line. The work itself is loaded only when it is asked for. */
import type { Command } from 'commander';

type Flags = {
  config?: string;
  set?: readonly string[];
  backend?: readonly string[];
  json?: true;
  html?: string;
  seed: string;
};

const DETAILS = `
PATH is a folder of segments (eventLog.dir) or one segment. Recorded requests, probe results and operator
actions go through a core under the other config; backends answer with their recorded times. The report
says how far the answer is exact and where it becomes an estimate.

--set and --backend change the recorded config, reloads included. --config replaces it from start to end,
so that recorded reloads do not count; a file without backends leaves the recorded ones. REPRISE_*
variables do not count here.

Exit codes: 0 done; 3 the log is damaged, and what could be read was used; 64 there is no log there, it is
too long for the memory, a wrong flag, or a page that cannot be written; 78 the other config is not valid.`;

export function registerWhatIf(program: Command): void {
  const several = (text: string, before: readonly string[] | undefined) => [...(before ?? []), text];
  program
    .command('whatif')
    .argument('<path>', 'folder of an event log, or one of its segments')
    .description('run a recorded log under another config, and compare')
    .option('--config <file>', 'the other config, a JSON file as for serve')
    .option('--set <key=value>', 'one other value, such as health.fall=5; may be given again', several)
    .option('--backend <backend>', 'the other backends, as for serve; may be given again', several)
    .option('--seed <number>', 'of what has to be drawn; the same seed, the same answer', '1')
    .option('--json', 'print one JSON object')
    .option('--html <file>', 'also write a page with plots')
    .addHelpText('after', DETAILS)
    .showHelpAfterError('Run "reprise whatif --help" for its flags.')
    .action(async (path: string, flags: Flags, command: Command) => {
      const { runWhatIf } = await import('../whatif/run.ts');
      const code = await runWhatIf(path, flags, (message) => command.error(`reprise: ${message}`));
      if (code !== 0) process.exitCode = code;
    });
}
