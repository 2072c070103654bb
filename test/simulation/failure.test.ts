/** What a failure of the simulator leaves behind: a smaller scenario, and an event log that the commands open. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, type Verdict } from '../../simulation/judge.ts';
import type { Run } from '../../simulation/run.ts';
import { drawScenario, type Scenario } from '../../simulation/scenario.ts';
import { kindOf, shrink } from '../../simulation/shrink.ts';
import { writeLog } from '../../simulation/write-log.ts';
import { runCommand as explain } from '../explain/command.ts';
import { startInspect } from '../inspector/support/inspect.ts';
import { reprise } from '../replay/support.ts';
import { temporaryFolder } from '../support/event-log.ts';

const SCENARIO: Scenario = {
  ...drawScenario(5, 300),
  backends: 12,
  faults: ['crash', 'drain', 'abort', 'late'],
};

/** A judge that finds something wrong where a connection is refused for the first time. */
function severe(scenario: Scenario): Verdict {
  const verdict = judge(scenario);
  const index = verdict.entries.findIndex(({ fact }) => fact.type === 'socket.failed');
  if (index === -1) return verdict;
  const entries = verdict.entries.slice(0, index + 1);
  return { ...verdict, breach: `b3 refused entry ${index + 1}`, entries };
}

describe('a scenario that fails', () => {
  it('is made smaller as long as it fails in the same way', () => {
    const failed = severe(SCENARIO);
    assert.match(failed.breach ?? '', /^b3 refused entry/);
    const small = shrink(failed, severe);
    assert.deepEqual(small.scenario.faults, ['crash']);
    assert.ok(small.scenario.backends < 12 && small.scenario.steps < 300, JSON.stringify(small.scenario));
    assert.equal(kindOf(small.breach ?? ''), 'B refused entry N');
  });

  it('stays as it is where nothing smaller fails', () => {
    const failed: Verdict = { ...judge(SCENARIO), breach: 'only here' };
    assert.equal(shrink(failed, judge), failed);
  });
});

describe('the event log of a simulated run', () => {
  const { entries }: Run = judge(SCENARIO);

  it('is opened by reprise replay, explain and inspect', async () => {
    using folder = temporaryFolder();
    writeLog(folder.path, { entries, scenario: SCENARIO });
    const replay = await reprise('replay', folder.path);
    assert.deepEqual([replay.code, replay.stderr], [0, '']);
    assert.match(replay.stdout, new RegExp(`entries .* 1 to ${entries.length}\\n`));
    assert.match(replay.stdout, /divergences +0\n/);
    const { code, stdout } = await explain(folder.path, '1');
    assert.equal(code, 0);
    assert.match(stdout, /POST \/v1\/chat\/completions/);
    await using inspector = await startInspect(folder.path);
    assert.equal((await fetch(inspector.url)).status, 200);
  });
});
