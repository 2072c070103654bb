/** `npm run simulate` and `npm run simulate:mutants` as people see them: what they print, and their exit codes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createCopy } from '../../simulation/mutated-copy.ts';
import { MUTATIONS } from '../../simulation/mutations.ts';
import { reprise } from '../replay/support.ts';
import { temporaryFolder } from '../support/event-log.ts';

const ROOT = join(import.meta.dirname, '../..');

type Outcome = { readonly code: unknown; readonly stdout: string };

function run(script: string, ...args: readonly string[]): Promise<Outcome> {
  return new Promise((done) => {
    execFile(process.execPath, [script, ...args], (error, stdout) =>
      done({ code: error?.code ?? 0, stdout }),
    );
  });
}

const mutationOf = (name: string) => MUTATIONS.find((each) => each.name === name) ?? assert.fail(name);

describe('npm run simulate', () => {
  const script = join(ROOT, 'simulation/cli.ts');

  it('says how far it is and gives a verdict', async () => {
    const { code, stdout } = await run(script, '--seed', '7', '--seeds', '2', '--steps', '200');
    assert.equal(code, 0);
    assert.match(stdout, /^simulate: from seed 7 on, 200 steps each\n/);
    assert.match(
      stdout,
      /\nsimulate: seeds 7 to 8: 2 seeds, \d+ events, [\d.]+ simulated days, \d+ events a CPU/,
    );
    assert.match(stdout, /\nsimulate: all is well: /);
  });

  it('refuses what it does not know', async () => {
    assert.equal((await run(script, '--sead', '7')).code, 64);
    assert.equal((await run(script, '--seed', 'x')).code, 64);
  });

  it('prints the seed of a failure, makes it smaller, and leaves an event log that replay opens', async () => {
    using copy = createCopy();
    using folder = temporaryFolder();
    copy.put(mutationOf('off by one in fall'));
    const broken = join(copy.folder, 'simulation/cli.ts');
    const { code, stdout } = await run(broken, '--seed', '1', '--seeds', '100', '--out', folder.path);
    assert.equal(code, 1);
    const [, seed] =
      /BREACH in seed (\d+), entry \d+:\n {2}b\d+ was healthy and is healthy after/.exec(stdout) ?? [];
    assert.match(
      stdout,
      new RegExp(`again: npm run simulate -- --seed ${seed} --steps \\d+ --backends \\d+ --faults '`),
    );
    // The core without the fault decides otherwise at the last entry.
    const replayed = await reprise('replay', join(folder.path, `reprise-simulation-${seed}`));
    assert.equal(replayed.code, 2);
    assert.match(replayed.stdout, /DIVERGENCE at entry \d+/);
  });
});

describe('npm run simulate:mutants', () => {
  const script = join(ROOT, 'simulation/mutants.ts');

  it('tells by what a deliberate fault was found', async () => {
    const { code, stdout } = await run(script, '--only', 'the count of leases');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /\| the count of leases .* \| `actors\/pool.ts` \| B counts N leases and has N \| \d+ \|\n/,
    );
  });

  it('ends with 1 where one survives', async () => {
    const { code, stdout } = await run(script, '--only', 'the count of leases', '--seeds', '0');
    assert.equal(code, 1);
    assert.match(stdout, /\nmutants: 1 SURVIVED: the count of leases is not lowered when one fails\n/);
  });

  it('has at least 25 faults, each of which is text that is there', () => {
    assert.ok(MUTATIONS.length >= 25);
    using copy = createCopy();
    for (const mutation of MUTATIONS) copy.put(mutation)();
  });
});
