/** `reprise explain`: what it takes on the command line. The work itself is loaded only when it is asked for. */
import type { Command } from 'commander';
import type { ExplainFlags } from './explain-run.ts';

const DETAILS = `
PATH is a folder of segments (eventLog.dir) or one segment, compressed or not. REQUEST is an X-Request-ID,
the number of a request, or seq:N for the request that arrived in entry N; where several requests carry
the same id each is told, and more than five are listed. TIME is ISO 8601, milliseconds since the epoch,
a time of day HH:MM[:SS] (the last one before the log ends), or seq:N for the state after entry N. Times
without a zone are local, and so are all that are printed.

Exit codes: 0 found; 1 there is no such request, backend or moment in the log; 2 replay goes another way
than the record; 3 the log is damaged (what the rest tells is printed); 64 no log there, or a wrong flag.`;

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .argument('<path>', 'folder of an event log, or one of its segments')
    .argument('[request]', 'tell the life of this request')
    .description('tell why a request, a backend or the whole fared as it did')
    .option('--backend <id>', 'tell the life of this backend')
    .option('--at <time>', 'tell the state of everything at this moment')
    .option('--json', 'print one JSON object')
    .addHelpText('after', DETAILS)
    .showHelpAfterError('Run "reprise explain --help" for its flags.')
    .action(async (path: string, request: string | undefined, flags: ExplainFlags, command: Command) => {
      const { runExplain } = await import('./explain-run.ts');
      const refuse = (message: string) => command.error(`reprise: ${message}`);
      const code = await runExplain(path, request, flags, refuse);
      if (code !== 0) process.exitCode = code;
    });
}
