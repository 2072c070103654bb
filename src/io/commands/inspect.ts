/** `reprise inspect`: what it takes on the command line. The work itself is loaded only when it is asked for. */
import type { Command } from 'commander';

type Flags = { port: string; open?: true };

const DETAILS = `
PATH is a folder of segments (eventLog.dir) or one segment. The page is served on 127.0.0.1 only, until
Ctrl-C. Nothing can be changed from it, and no gateway is needed. Of a gateway that runs, see the page at
/inspector on its admin listener instead, which follows what happens.

Exit codes: 0 ended by a signal; 1 it could not listen; 64 there is no log there, or a wrong flag.`;

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .argument('<path>', 'folder of an event log, or one of its segments')
    .description('look at a recorded log in the browser')
    .option('--port <port>', 'port to listen on; 0 takes any free one', '0')
    .option('--open', 'open the page in the browser')
    .addHelpText('after', DETAILS)
    .action(async (path: string, flags: Flags, command: Command) => {
      const { runInspect } = await import('./inspect-run.ts');
      const code = await runInspect(path, flags, (message) => command.error(`reprise: ${message}`));
      if (code !== 0) process.exitCode = code;
    });
}
