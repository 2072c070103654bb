/** The command line as a service manager sees it: exit codes, and what stands on stdout and stderr. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeFile } from './support.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const PACKAGE = new URL('../../package.json', import.meta.url);

type Outcome = { code: number; stdout: string; stderr: string };

/** Runs the command without any REPRISE_* variable of the surroundings. */
function reprise(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('REPRISE_')),
  );
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { env: { ...clean, ...env } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      done({ code, stdout, stderr });
    });
  });
}

describe('the command line', { concurrency: 4 }, () => {
  test('--version prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
    assert.deepEqual(await reprise(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help shows the commands and the flags', async () => {
    const { code, stdout, stderr } = await reprise(['--help']);
    assert.deepEqual([code, stderr], [0, '']);
    for (const word of [
      'serve',
      'config',
      '--config',
      '--port',
      '--admin-port',
      '--log-level',
      '--backend',
      '--event-log',
      '--no-event-log',
    ]) {
      assert.ok(stdout.includes(word), word);
    }
  });

  test('config prints a table of values and origins', async () => {
    const { code, stdout } = await reprise(['config', '--port', '81', '--backend', 'a:1,weight=5'], {
      REPRISE_CONFIG: writeFile({ pool: { size: 3 } }),
    });
    assert.equal(code, 0);
    assert.match(stdout, /^server\.port +81 +flag --port$/m);
    assert.match(stdout, /^backends\[0\] +a:1,weight=5 +flag --backend$/m);
    assert.match(stdout, /^pool\.size +3 +file .*\.json$/m);
    assert.match(stdout, /^logging\.format +json +default$/m);
  });

  test('config --json prints a configuration that can serve as a file', async () => {
    const first = await reprise(['config', '--json', '--backend', 'a:1']);
    const { config, origins } = JSON.parse(first.stdout) as {
      config: unknown;
      origins: Record<string, string>;
    };
    assert.equal(origins.backends, 'flag --backend');
    const second = await reprise(['config', '--json', '--config', writeFile(config)]);
    assert.deepEqual((JSON.parse(second.stdout) as { config: unknown }).config, config);
  });

  for (const command of [[], ['serve'], ['config'], ['config', '--json']]) {
    test(`"${['reprise', ...command].join(' ')}" lists all problems and ends with 78`, async () => {
      const args = [...command, '--port', 'abc', '--backend', 'a:1,weight=0', '--log-level', 'loud'];
      const { code, stdout, stderr } = await reprise(args, { REPRISE_PROT: '1' });
      assert.deepEqual([code, stdout], [78, '']);
      assert.equal(
        stderr,
        [
          'reprise: the configuration is not valid (4 problems)',
          '  REPRISE_PROT (environment REPRISE_PROT): is not a known variable; did you mean REPRISE_PORT?',
          '  server.port = "abc" (flag --port): must be a whole number from 0 to 65535',
          '  backends[0].weight = 0 (flag --backend): must be a whole number from 1 to 1000',
          '  logging.level = "loud" (flag --log-level): must be "trace", "debug", "info", "warn", "error", "fatal" or "silent"',
          '',
        ].join('\n'),
      );
    });
  }

  const usageErrors: [args: string[], message: RegExp][] = [
    [['--prot', '5'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
    [['config', '--prot', '5'], /unknown option '--prot'/],
    [['--port'], /option '--port <port>' argument missing/],
    [['confg'], /unknown command 'confg' \(did you mean config\?\)/],
    [['--port', '1', 'config'], /the command 'config' must stand before its flags/],
    [['config', 'extra'], /too many arguments/],
    [['--json'], /unknown option '--json'/],
  ];
  for (const [args, message] of usageErrors) {
    test(`"reprise ${args.join(' ')}" is wrong usage, hints at the help and ends with 64`, async () => {
      const { code, stdout, stderr } = await reprise(args);
      assert.deepEqual([code, stdout], [64, '']);
      assert.match(stderr, /^reprise: /);
      assert.match(stderr, message);
      assert.match(stderr, /Run "reprise --help" for the commands and flags\.\n$/);
    });
  }
});
