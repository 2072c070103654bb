/** `reprise inspect` as a process of its own, over a log that is there. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bareEnvironment } from '../../support/environment.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

const CLI = join(import.meta.dirname, '../../../src/cli.ts');

export type Inspector = AsyncDisposable & {
  /** Where the page is. */
  readonly url: string;
};

/** Starts it on a free port and waits until it says where the page is. */
export async function startInspect(path: string): Promise<Inspector> {
  const child = spawn(process.execPath, [CLI, 'inspect', path, '--port', '0'], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const fail = () => reject(new Error(`reprise inspect said no address: ${output}`));
    const timer = setTimeout(fail, PATIENCE_MS);
    child.on('exit', fail);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output += text;
        const found = / at (http:\S+)/.exec(output)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    }
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
