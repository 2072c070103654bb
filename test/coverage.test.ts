/** The judge of `npm run coverage`, over what node's own coverage reports of a small project with gaps of every kind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Exception, judgeCoverage } from '../scripts/coverage-judge.ts';
import { bareEnvironment } from './support/environment.ts';

const SUBJECT = `
export function sign(value: number): string {
  if (value < 0) return 'minus';
  return value === 0 ? 'none' : 'plus';
}

export function name(kind: 'a' | 'b'): string {
  switch (kind) {
    case 'a':
      return 'first';
    case 'b':
      return 'second';
    default:
      return assertNever(kind);
  }
}

function assertNever(value: never): never {
  throw new TypeError(String(value));
}

export function never(): string {
  return 'x';
}
`;
const CALLS = {
  sign: 'sign(-1); sign(0); sign(1);',
  name: "name('a'); name('b');",
  never: 'never();',
};

const folder = mkdtempSync(join(tmpdir(), 'reprise-judge-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'subject.ts'), SUBJECT);

/** The complaints about the subject where a test calls it so. */
function judge(calls: string, exceptions: readonly Omit<Exception, 'path'>[] = []): string[] {
  writeFileSync(
    join(folder, 'subject.test.ts'),
    `import { name, never, sign } from './subject.ts';\nvoid [name, never, sign];\n${calls}\n`,
  );
  const flags = ['--test', '--test-isolation=none', '--experimental-test-coverage', '--test-reporter=lcov'];
  const { stdout, status } = spawnSync(
    process.execPath,
    [...flags, '--test-coverage-include=subject.ts', 'subject.test.ts'],
    // Code from a cache of compiled files is counted less exactly.
    { cwd: folder, encoding: 'utf8', env: { ...bareEnvironment(), NODE_COMPILE_CACHE: undefined } },
  );
  assert.equal(status, 0, stdout);
  return judgeCoverage(
    stdout,
    (path) => readFileSync(join(folder, path), 'utf8'),
    exceptions.map((exception) => ({ path: 'subject.ts', ...exception })),
  );
}

describe('the judge of coverage', () => {
  it('is content where a test comes to every line and branch but assertions', () => {
    assert.deepEqual(judge(Object.values(CALLS).join('\n')), []);
  });

  it('names a branch that is not taken, though its line is run', () => {
    assert.deepEqual(judge(`${CALLS.name} ${CALLS.never} sign(-1); sign(0);`), [
      "subject.ts:4: no test comes to this branch: return value === 0 ? 'none' : 'plus';",
    ]);
    assert.deepEqual(judge(`${CALLS.name} ${CALLS.never} sign(0); sign(1);`), [
      "subject.ts:3: no test comes to this branch: if (value < 0) return 'minus';",
    ]);
  });

  it('names each line of a case that does not come up', () => {
    const complaints = judge(`${CALLS.sign} ${CALLS.never} name('a');`);
    assert.deepEqual(
      complaints.map((complaint) => complaint.split(': ')[0]),
      ['subject.ts:11', 'subject.ts:12'],
    );
  });

  it('names a function that nothing calls', () => {
    const [first = ''] = judge(`${CALLS.sign} ${CALLS.name}`);
    assert.equal(first, 'subject.ts:22: no test comes to this function: export function never(): string {');
  });

  it('lets an exception pass, and complains of it once nothing needs it', () => {
    const exception = { line: "if (value < 0) return 'minus';", why: 'it is so' };
    assert.deepEqual(judge(`${CALLS.name} ${CALLS.never} sign(0); sign(1);`, [exception]), []);
    assert.deepEqual(judge(Object.values(CALLS).join('\n'), [exception]), [
      "subject.ts: nothing needs the exception for this line any more: if (value < 0) return 'minus';",
    ]);
  });
});
