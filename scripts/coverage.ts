/**
 * Coverage of the core and the streams, every line and branch:
 *
 *   npm run coverage
 *
 * Runs their tests under node's own coverage and names each place that no test comes to; the exit code is 1 if there is
 * one that is neither an assertion nor listed with its reason in `coverage-exceptions.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXCEPTIONS, JUDGED } from './coverage-exceptions.ts';
import { judgeCoverage } from './coverage-judge.ts';

/** What is tested in the process of its test; a command in a process of its own is tested elsewhere. */
const TESTS = [
  'test/actors/*.test.ts',
  'test/streams/*.test.ts',
  'test/explain/*.test.ts',
  'test/replay/{faithful,histories}.test.ts',
  'test/metrics/{fold,replay}.test.ts',
];

process.exitCode = run();

function run(): number {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-coverage-'));
  const report = join(folder, 'lcov');
  try {
    const { status } = spawnSync(process.execPath, flagsFor(report), {
      stdio: 'inherit',
      env: environmentWithoutCache(),
    });
    if (status !== 0) return 1;
    const complaints = judgeCoverage(
      readFileSync(report, 'utf8'),
      (path) => readFileSync(path, 'utf8'),
      EXCEPTIONS,
    );
    for (const complaint of complaints) console.error(complaint);
    const verdict =
      complaints.length === 0
        ? `a test comes to every line and branch, but for ${EXCEPTIONS.length} exceptions`
        : `${complaints.length} places: write a test, assert that it cannot happen, or give the reason in scripts/coverage-exceptions.ts`;
    console.log(`coverage of ${JUDGED.join(' and ')}: ${verdict}`);
    return complaints.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One process for all, so that no counts have to be merged. */
function flagsFor(report: string): string[] {
  return [
    '--test',
    '--test-isolation=none',
    '--import=./scripts/coverage-setup.ts',
    '--experimental-test-coverage',
    ...JUDGED.map((glob) => `--test-coverage-include=${glob}`),
    '--test-reporter=lcov',
    `--test-reporter-destination=${report}`,
    '--test-reporter=dot',
    '--test-reporter-destination=stdout',
    ...TESTS,
  ];
}

/** Code from the cache of compiled files is counted less exactly. */
function environmentWithoutCache(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: _, ...others } = process.env;
  return others;
}
