/** `reprise replay`: what it takes on the command line. The work itself is loaded only when it is asked for. */
import type { Command } from 'commander';

type Flags = { from?: string; until?: string; metrics?: true; json?: true };

const DETAILS = `
PATH is a folder of segments (eventLog.dir) or one segment, compressed or not. SEQ is the number of an
entry. TIME is ISO 8601, milliseconds since the epoch, or a time of day HH:MM[:SS]: the last one before
the log ends. Times without a zone are local.

--metrics prints what /metrics would have said at the end of the range, as far as it follows from the
log: counted from the last start of the gateway, or from where the range or the log begins if that is
later. What says how the replay went, if it was not faithful, is on standard error then.

Exit codes: 0 every decision and every hash is as recorded; 2 a decision or a hash differs; 3 the log is
damaged; 64 there is nothing to replay there, or a wrong flag. Of a divergence and damage, the first one
in the log decides.`;

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .argument('<path>', 'folder of an event log, or one of its segments')
    .description('compute every recorded decision again, and compare')
    .option('--from <point>', 'SEQ or TIME; begins at the last snapshot at or before it')
    .option('--until <point>', 'SEQ or TIME; shows the state at that moment')
    .option('--metrics', 'print figures in Prometheus text instead, or with --json as JSON')
    .option('--json', 'print one JSON object')
    .addHelpText('after', DETAILS)
    .showHelpAfterError('Run "reprise replay --help" for its flags.')
    .action(async (path: string, flags: Flags, command: Command) => {
      const { runReplay } = await import('./replay-run.ts');
      const code = await runReplay(path, flags, (message) => command.error(`reprise: ${message}`));
      if (code !== 0) process.exitCode = code;
    });
}
