/** Has a recorded log played again by the command of the product, at the end of a run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bareEnvironment } from '../support/environment.ts';

const BIN = join(import.meta.dirname, '../../bin/reprise');

/** @returns what is wrong with the replay, if anything is */
export async function replay(dir: string, say: (line: string) => void): Promise<string[]> {
  const child = spawn(BIN, ['replay', dir, '--json'], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  const counted = /"entries":(\d+).*?"decisions":(\d+).*?"hashes":(\d+)/.exec(output);
  const [, entries = '?', decisions = '?'] = counted ?? [];
  const [, gaps = '?'] = /"gaps":(\d+)/.exec(output) ?? [];
  const [, dropped = '?'] = /"dropped":(\d+)/.exec(output) ?? [];
  say(
    `replay: ${entries} entries, ${decisions} decisions, ${gaps} gaps with ${dropped} entries, exit code ${code}`,
  );
  return code === 0 ? [] : [`the replay ended with ${code}: ${output.slice(0, 2_000)}`];
}
