/** The worked cases in docs/cases: every command on their pages is run again, and must print what the page shows. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { folder, reprise } from './support.ts';

const CASES = join(import.meta.dirname, '../../docs/cases');
const ELISION = '...';

type Shown = { readonly command: string; readonly output: readonly string[] };

/** The console blocks of a page. */
function shownOn(page: string): Shown[] {
  const text = readFileSync(join(CASES, page), 'utf8');
  return [...text.matchAll(/```console\n\$ (.*)\n([\s\S]*?)```/g)].map(([, command = '', output = '']) => ({
    command,
    output: output.split('\n').slice(0, -1),
  }));
}

/** The lines must come in this order, next to one another except where the page leaves some out. */
function assertShown({ command, output }: Shown, printed: string): void {
  const lines = printed.split('\n');
  let next = 0;
  let maySkip = true;
  for (const line of output) {
    if (line === ELISION) {
      maySkip = true;
      continue;
    }
    const found = lines.indexOf(line, next);
    assert.notEqual(found, -1, `${command}: this line is not printed: ${line}\n${printed}`);
    if (!maySkip) assert.equal(found, next, `${command}: lines are left out before: ${line}`);
    next = found + 1;
    maySkip = false;
  }
}

const pages = readdirSync(CASES).filter((name) => name.endsWith('.md'));
assert.ok(pages.length >= 2);

for (const page of pages) {
  suite(page, () => {
    const [recipe, ...commands] = shownOn(page);
    test('every command prints what the page shows', async (t) => {
      const log = folder(t);
      const script = recipe?.command.replace(/^node docs\/cases\//, '').replace(/ LOG$/, '') ?? '';
      await promisify(execFile)(process.execPath, [join(CASES, script), log]);
      assert.ok(commands.length >= 4);
      for (const shown of commands) {
        const args = shown.command.replace(/^reprise /, '').split(' ');
        const { code, stdout, stderr } = await reprise(...args.map((arg) => (arg === 'LOG' ? log : arg)));
        assert.equal(code, 0, stderr);
        assertShown(shown, stdout);
      }
    });
  });
}
