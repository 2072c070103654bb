/** `kill -9` of a recording daemon under load, again and again, at moments drawn from a seed that is printed. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { checkLog, temporaryFolder } from '../support/event-log.ts';
import { startFleet } from '../support/fleet.ts';
import { runLoad } from '../support/load.ts';

/** Each is another moment; REPRISE_TEST_KILLS=50 tries so many of them. */
const ROUNDS = Number(process.env.REPRISE_TEST_KILLS ?? 4);

/** The number of the last entry that stands in the folder, whole or with its line cut short behind it. */
function lastSeqIn(dir: string): number {
  const last = readdirSync(dir)
    .filter((file) => file.endsWith('.ndjson'))
    .sort()
    .at(-1);
  if (last === undefined) return 0;
  const text = readFileSync(join(dir, last), 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n'));
  const [, seq] = /"seq":(\d+)/.exec(whole.slice(whole.lastIndexOf('\n'))) ?? [];
  // A segment that has just been begun is empty, and is named by the entry that would have been its first.
  return seq === undefined ? Number(/\d+/.exec(last)?.[0]) - 1 : Number(seq);
}

async function syncedSeqOf({ adminUrl }: Daemon): Promise<number> {
  const stats: unknown = await (await fetch(`${adminUrl}/stats`)).json();
  return Number(/"syncedSeq":(\d+)/.exec(JSON.stringify(stats))?.[1]);
}

it('a daemon that is killed goes on in the same log, and nothing is lost that was forced to the disk', async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  // A linear congruential generator (Numerical Recipes) is random enough for moments.
  let state = seed;
  const draw = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % most;
  };
  using folder = temporaryFolder();
  await using fleet = await startFleet(2);
  const backends = fleet.mocks.flatMap(({ port }) => ['--backend', `127.0.0.1:${port}`]);
  const env = { REPRISE_EVENT_LOG_SEGMENT_BYTES: '300000', REPRISE_EVENT_LOG_SYNC_INTERVAL_MS: '20' };
  const synced: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = lastSeqIn(folder.path);
    await using daemon = await startDaemon([...backends, '--event-log', folder.path], env);
    let isAlive = true;
    const load = runLoad({ url: daemon.url, clients: 16, goOn: () => isAlive });
    let last = 0;
    // A run that has written nothing yet is none that goes on.
    while (last <= found) last = await syncedSeqOf(daemon);
    const killed = pass(draw(400)).then(() => daemon.process.kill('SIGKILL'));
    while (isAlive) {
      try {
        last = await syncedSeqOf(daemon);
      } catch {
        isAlive = false;
      }
    }
    await Promise.all([killed, load, daemon.exit()]);
    synced.push(last);
    assert.ok(
      lastSeqIn(folder.path) >= last,
      `${lastSeqIn(folder.path)} is in the log, ${last} was confirmed`,
    );
  }
  await using daemon = await startDaemon([...backends, '--event-log', folder.path], env);
  daemon.process.kill('SIGTERM');
  await daemon.exit();
  const { entries, gaps, segments } = await checkLog(folder.path);
  assert.deepEqual(gaps, []);
  assert.equal(segments.filter(({ reason }) => reason === 'started').length, ROUNDS + 1);
  assert.equal(entries.at(-1)?.fact.type, 'listener.closed');
  t.diagnostic(
    `${entries.length} entries in ${segments.length} segments; confirmed before each kill: ${synced}`,
  );
});
