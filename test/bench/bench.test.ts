/** The benchmark still runs: with Reprise alone, for a moment, its figures are there, whatever they are. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const BENCH = join(import.meta.dirname, '../../bench/bench.ts');
const execute = promisify(execFile);

/** @returns what it prints, having been given these arguments */
async function bench(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, [BENCH, ...args], { timeout: 60_000 });
  return stdout;
}

test('the benchmark of requests tells the CPU time of each', async () => {
  const report = await bench('requests', '--quick');
  const [, cpuUs = '', perCpuSecond = ''] =
    /^\| Reprise \| ([\d.]+) \([^)]+\) \| ([\d,]+) \|/m.exec(report) ?? [];
  assert.ok(Number(cpuUs) > 0, report);
  assert.ok(Number(perCpuSecond.replace(',', '')) > 0, report);
});

test('the benchmark of streams tells the CPU time of chunks, and that no stream failed', async () => {
  const report = await bench('streams', '--quick');
  const row = /^\| Reprise \| ([\d.]+) \| – \| ([\d.]+) \/ [\d.]+ \| – \| .* \| (\d+) \| (\d+) \|$/m.exec(
    report,
  );
  const [cpuS, firstByteMs, streams, errors] = (row ?? []).slice(1).map(Number);
  assert.ok((cpuS ?? 0) > 0 && (firstByteMs ?? 0) > 0 && (streams ?? 0) >= 10, report);
  assert.equal(errors, 0, report);
});

test('the benchmark refuses what it does not know, and says what there is', async () => {
  await assert.rejects(bench('latency'), ({ code, stderr }: { code: number; stderr: string }) => {
    assert.match(stderr, /no measurement 'latency'[\s\S]*requests\|streams\|memory\|all/);
    return code === 64;
  });
  await assert.rejects(bench('requests', '--rounds', '0'), /--rounds must be a whole number from 1/);
});
