/** Logs of every format version that was ever written stay replayable; the recipe stands beside each set. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { reprise } from './support.ts';

const HISTORIES = join(import.meta.dirname, 'histories');

type Expected = {
  exitCode: number;
  damage: { segment: string; line: number; byte: number } | null;
  firstDivergence: number | null;
  [count: string]: unknown;
};

for (const version of readdirSync(HISTORIES)) {
  describe(`logs of format ${version}`, () => {
    const text = readFileSync(join(HISTORIES, version, 'expected.json'), 'utf8');
    const expected: Record<string, Expected> = JSON.parse(text);
    for (const [name, { exitCode, damage, firstDivergence, ...counts }] of Object.entries(expected)) {
      test(`replay as they did: the ${name} one`, async () => {
        const { code, stdout } = await reprise('replay', join(HISTORIES, version, name), '--json');
        const report = JSON.parse(stdout);
        assert.equal(code, exitCode);
        for (const [key, value] of Object.entries(counts)) assert.deepEqual(report[key], value, key);
        assert.equal(report.firstDivergence?.seq ?? null, firstDivergence);
        const [{ segment, line, byte } = { segment: null }] = report.damage;
        assert.deepEqual(segment === null ? null : { segment, line, byte }, damage);
      });
    }
  });
}
