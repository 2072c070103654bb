/** The operator's log on standard output: what has been logged is there, in order, once it has been flushed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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

  it('for people has the time of day, the level and the words', () => {
    assert.match(written('pretty', 1), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: line 1\.\n$/);
  });
});
