/** The token of the admin listener: when there must be one, and that it is shown and recorded nowhere. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withoutSecrets } from '../../src/io/config/admin-token.ts';
import { describeConfig, formatTable } from '../../src/io/config/describe.ts';
import { loadConfig } from '../../src/io/config/load.ts';
import { ConfigError } from '../../src/io/config/problems.ts';
import { startDaemon } from '../support/daemon.ts';
import { temporaryFolder } from '../support/event-log.ts';

const TOKEN = 'planted-secret-0123456789';

const load = (env: NodeJS.ProcessEnv) => loadConfig({ flags: {}, env, isTerminal: false });

function problemsOf(env: NodeJS.ProcessEnv): string {
  try {
    load(env);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

describe('admin.token', () => {
  it('must be there where other machines reach the admin API', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.7', 'gateway.internal', '127.example.com']) {
      assert.match(
        problemsOf({ REPRISE_ADMIN_HOST: host }),
        /admin\.token .*is missing: admin\.host is /,
        host,
      );
      assert.equal(problemsOf({ REPRISE_ADMIN_HOST: host, REPRISE_ADMIN_TOKEN: TOKEN }), '');
    }
    for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '::1']) {
      assert.equal(problemsOf({ REPRISE_ADMIN_HOST: host }), '', host);
    }
  });

  it('must be long enough, and is not shown when it is not', () => {
    const problems = problemsOf({ REPRISE_ADMIN_TOKEN: 'hunter2' });
    assert.match(problems, /admin\.token \(environment REPRISE_ADMIN_TOKEN\): must be 16 to 200 /);
    assert.doesNotMatch(problems, /hunter2/);
    assert.match(problemsOf({ REPRISE_ADMIN_TOKEN: 'with a space in the middle' }), /must be 16 to 200 /);
  });

  it('is blotted out where the config is printed', () => {
    const loaded = load({ REPRISE_ADMIN_TOKEN: TOKEN });
    assert.equal(loaded.config.admin.token, TOKEN);
    assert.doesNotMatch(formatTable(describeConfig(loaded)), new RegExp(TOKEN));
    assert.doesNotMatch(JSON.stringify(withoutSecrets(loaded.config)), new RegExp(TOKEN));
  });

  it('is neither in the log nor in the event log', async () => {
    using folder = temporaryFolder();
    const args = ['--inspect', '--backend', '127.0.0.1:9', '--event-log', folder.path];
    await using daemon = await startDaemon(args, { REPRISE_ADMIN_TOKEN: TOKEN, REPRISE_LOG_LEVEL: 'trace' });
    const url = await daemon.says(/"inspectorUrl":"([^"]+)"/);
    assert.equal(url, `${daemon.adminUrl}/inspector`);
    assert.equal((await fetch(`${url}?token=${TOKEN}`, { redirect: 'manual' })).status, 303);
    daemon.process.kill('SIGTERM');
    assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
    assert.ok(!daemon.output.includes(TOKEN), 'not in the log');
    const files = readdirSync(folder.path).filter((name) => name.startsWith('events-'));
    assert.ok(files.length > 0);
    for (const name of files) assert.ok(!readFileSync(join(folder.path, name), 'utf8').includes(TOKEN), name);
  });
});
