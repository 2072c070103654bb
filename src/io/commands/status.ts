/** `reprise status`: what it takes on the command line. The work itself is loaded only when it is asked for. */
import type { Command } from 'commander';
import type { StatusFlags } from './status-run.ts';

const DETAILS = `
Asks the admin listener of a running gateway. Where that is, is read from where "reprise serve" reads it:
--config, REPRISE_CONFIG, REPRISE_ADMIN_HOST, REPRISE_ADMIN_PORT, or the defaults; so is the
token it wants, which with --admin comes from REPRISE_ADMIN_TOKEN alone.

Exit codes: 0 shown, also when backends are unhealthy; 1 no gateway answers there; 64 a wrong flag; 78 the
configuration is not valid.`;

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('show what the backends of a running gateway are doing')
    .option('--watch', 'show it anew each second, until Ctrl-C')
    .option('--admin <address>', 'HOST:PORT or URL of the admin listener; no configuration is read then')
    .option('--config <file>', 'JSON file that says where it is (REPRISE_CONFIG)')
    .option('--admin-port <port>', 'its port (REPRISE_ADMIN_PORT)')
    .option('--json', 'print one JSON object, with --watch one a line')
    .addHelpText('after', DETAILS)
    .action(async (flags: StatusFlags, command: Command) => {
      const { runStatus } = await import('./status-run.ts');
      const code = await runStatus(flags, (message) => command.error(`reprise: ${message}`));
      if (code !== 0) process.exitCode = code;
    });
}
