/** The operator's log on standard output: what has been logged is there, in order, once it has been flushed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { LogSettings } from '../../src/io/log.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const LOG = new URL('../../src/io/log.ts', import.meta.url).href;

/** Logs lines in a process of its own, which is killed as soon as it has flushed them. @returns what it has written */
function written(format: LogSettings['format'], lines: number): string {
  const program = `
    import { createLogger } from ${JSON.stringify(LOG)};
    const { log, flush } = createLogger({ level: 'info', format: '${format}' });
    for (let line = 1; line <= ${lines}; line += 1) log.info('line %d.', line);
    await flush();
    process.kill(process.pid, 'SIGKILL');
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '-e', program],
    { encoding: 'utf8', timeout: PATIENCE_MS },
  );
  assert.equal(stderr, '');
  return stdout;
}

const STOPPED = 7;

/** Logs more than fits anywhere and then ends, with a last word. @returns the exit code, or null if it had to be killed */
async function exitCodeOver(format: LogSettings['format'], stdout: 'pipe' | number): Promise<number | null> {
  const program = `
    import { createLogger } from ${JSON.stringify(LOG)};
    const { log, flush } = createLogger({ level: 'info', format: '${format}' });
    for (let line = 1; line <= 1000; line += 1) log.info('x'.repeat(2000));
    log.fatal('the last word');
    await flush();
    process.exit(${STOPPED});
  `;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', stdout, 'inherit'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  // Without a listener for its data a pipe is not read beyond what fits into a buffer.
  const [code] = await once(child, 'exit');
  child.stdout?.destroy();
  return code;
}

describe('the log', () => {
  for (const format of ['json', 'pretty'] as const) {
    it(`has every line in order once it is flushed (${format})`, () => {
      const numbers = [...written(format, 100).matchAll(/line (\d+)\./g)].map(([, number]) => Number(number));
      assert.deepEqual(
        numbers,
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
    });
  }

  for (const format of ['json', 'pretty'] as const) {
    it(`does not keep a process from ending that nobody reads from (${format})`, async () => {
      assert.equal(await exitCodeOver(format, 'pipe'), STOPPED);
    });

    const options = { skip: !existsSync('/dev/full') && 'there is no /dev/full here' };
    it(`does not keep a process from ending when the disk is full (${format})`, options, async () => {
      const full = openSync('/dev/full', 'w');
      assert.equal(await exitCodeOver(format, full), STOPPED);
      closeSync(full);
    });
  }

  it('for people has the time of day, the level and the words', () => {
    assert.match(written('pretty', 1), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: line 1\.\n$/);
  });
});
