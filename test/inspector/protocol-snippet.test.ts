/** What README.md says of Stately's tools works as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { inspectorUrl } from './viewers.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The first block of JavaScript in README.md that uses the official receiver. */
function snippet(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  const code = blocks.find((block) => block.includes('createWebSocketReceiver'));
  assert.ok(code !== undefined, 'README.md has no such snippet');
  return code;
}

describe('README.md', () => {
  it('shows how a program watches with the official receiver', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const address = 'ws://127.0.0.1:9900/inspector/ws';
    const code = snippet();
    assert.ok(code.includes(address));
    const program = code.replace(address, inspectorUrl(gateway));
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.setEncoding('utf8');
    let output = '';
    let isDrained = false;
    for await (const piece of child.stdout) {
      output += piece;
      if (!isDrained && output.includes('backend:a healthy\n')) {
        isDrained = true;
        await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
      }
      if (output.includes('-> drained\n')) break;
    }
    child.kill();
    assert.match(output, /backend:a operator\.drained -> draining\n.*backend:a leases\.ended -> drained\n/s);
  });

  it('names the flag that offers the hosted inspector, which then is offered', async () => {
    await using daemon = await startDaemon(['--inspect=stately']);
    const bridgeUrl = await daemon.says(/"bridgeUrl":"([^"]+)"/);
    const page = await fetch(bridgeUrl);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(daemon.output, /sends to https:\/\/stately\.ai what it reads on ws:/);
  });

  it('names a flag that takes no other value', async () => {
    const child = spawn(process.execPath, [join(ROOT, 'src/cli.ts'), 'serve', '--inspect=other'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8');
    let output = '';
    for await (const piece of child.stderr) output += piece;
    assert.match(output, /'--inspect \[mode\]' argument 'other' is invalid\. Allowed choices are stately/);
  });
});
