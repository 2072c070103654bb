/** The inspector of a gateway that runs: what it shows of what just happened, and what it costs when nobody looks. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import type { Moment, Overview, RequestStory } from '../../src/io/inspector/api.ts';
import { readRecording } from '../../src/io/inspector/history/reading.ts';
import { createInquiry } from '../../src/io/inspector/inquiry.ts';
import { createLiveInspector } from '../../src/io/inspector/live.ts';
import { portOf } from '../../src/io/listening.ts';
import { record, temporaryFolder } from '../support/event-log.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { connectRaw } from '../support/raw-client.ts';
import { asker, eventually } from './support.ts';

async function get<Result>(gateway: TestGateway, path: string): Promise<Result> {
  const response = await fetch(`${gateway.adminUrl}/inspector/api/${path}`);
  const body = await response.text();
  assert.equal(response.status, 200, `${path}: ${body}`);
  const result: Result = JSON.parse(body);
  return result;
}

const backendOf = (moment: Moment, id: string) => {
  const found = moment.backends.find((backend) => backend.id === id);
  assert.ok(found !== undefined);
  return found;
};

/** Waits until the inspector has read as far as the gateway has come. */
async function caughtUp(gateway: TestGateway, seq: number): Promise<void> {
  await eventually(async () => {
    const { last } = await get<Overview>(gateway, 'overview');
    return last !== null && last.seq >= seq;
  }, `entry ${seq} is read`);
}

describe('the inspector of a gateway', () => {
  it('shows the moment at which a killed backend fell, now and later from the log', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(2);
    const health = { intervalMs: 20, timeoutMs: PATIENCE_MS, fall: 3 };
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      health,
      eventLog: { dir: folder.path },
    });
    await gateway.fact('probe.succeeded', 2);
    await fleet.mocks[0]?.close();
    const fell = await gateway.decision('backend.changed');
    await caughtUp(gateway, fell.seq);
    const check = (after: Moment, before: Moment) => {
      const { state, consecutiveFailures, since, reason, lastTransition, eligibility } = backendOf(
        after,
        'a',
      );
      const instant = { seq: fell.seq, at: fell.at };
      assert.deepEqual(
        { state, consecutiveFailures, since, eligibility },
        {
          state: 'unhealthy',
          consecutiveFailures: 3,
          since: instant,
          eligibility: 'unhealthy',
        },
      );
      assert.match(reason, /^3 of 3 probes failed, the last with: refused$/);
      assert.deepEqual(lastTransition, {
        ...instant,
        event: 'probe.failed',
        from: 'healthy',
        to: 'unhealthy',
      });
      const earlier = backendOf(before, 'a');
      assert.deepEqual(
        [earlier.state, earlier.consecutiveFailures, earlier.eligibility],
        ['healthy', 2, 'eligible'],
      );
    };
    check(await get(gateway, `moment?seq=${fell.seq}`), await get(gateway, `moment?seq=${fell.seq - 1}`));
    const { marks, source } = await get<Overview>(gateway, 'overview');
    assert.deepEqual([source.kind, source.canChange], ['live', true]);
    const { seq, backend } = marks.find(({ kind }) => kind === 'fell') ?? {};
    assert.deepEqual({ seq, backend }, { seq: fell.seq, backend: 'a' });

    await gateway.gateway.stop();
    const reading = await readRecording(folder.path);
    await reading.done;
    const recorded = asker(reading);
    check(await recorded.moment({ seq: fell.seq }), await recorded.moment({ seq: fell.seq - 1 }));
  });

  it('shows requests on their way, and tells the life of each', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks, eventLog: { dir: folder.path } });
    const id = 'the-one-to-find';
    await (await fetch(`${gateway.url}/v1/models`, { headers: { 'x-request-id': id } })).text();
    const arrived = await gateway.fact('request.received');
    const ended = await gateway.fact('response.ended');
    await caughtUp(gateway, ended.seq);
    const moment = await get<Moment>(gateway, `moment?seq=${ended.seq - 1}`);
    assert.equal(moment.inFlight, 1);
    assert.deepEqual(
      moment.picks.map(({ backend, seq }) => ({ backend, seq })),
      [{ backend: 'a', seq: arrived.seq }],
    );
    const story = await get<RequestStory>(gateway, `request?id=${id}`);
    assert.equal(story.isFound, true);
    assert.deepEqual(story.arrivals, [{ seq: arrived.seq, at: arrived.at }]);
    assert.match(story.lines.join('\n'), /Answered by a with status 200/);
    const none = await get<RequestStory>(gateway, 'request?id=the-one-to-fimd');
    assert.equal(none.isFound, false);
    assert.match(none.lines.join('\n'), /did you mean the-one-to-find\?/);
  });

  it('shows the present where nothing is recorded, and says so', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    await gateway.fact('probe.succeeded');
    const { notes, backends, first } = await get<Overview>(gateway, 'overview');
    assert.deepEqual(notes, ['the event log is off: there is the present only, and no history']);
    assert.deepEqual([backends, first], [[], null]);
    const moment = await get<Moment>(gateway, 'moment');
    assert.equal(backendOf(moment, 'a').consecutiveSuccesses, 1);
    const page = await get<object>(gateway, 'entries');
    assert.deepEqual(page, {
      entries: [],
      searched: { from: 0, until: 0 },
      hasBefore: false,
      hasAfter: false,
    });
    assert.equal(await get(gateway, 'step?seq=1&to=nextEntry'), null);
    assert.deepEqual((await get<RequestStory>(gateway, 'request?id=1')).isFound, false);
    assert.ok((await get<{ states: unknown[] }>(gateway, 'chart')).states.length === 7);
  });

  it('answers while the gateway waits for its last request to end, also whoever asks only then', async () => {
    using folder = temporaryFolder();
    await using backend = createServer().listen(0, '127.0.0.1');
    await once(backend, 'listening');
    await using gateway = await startTestGateway({
      backends: [{ name: 'silent', port: portOf(backend) }],
      // It waits until the client leaves.
      server: { shutdownTimeoutMs: PATIENCE_MS },
      eventLog: { dir: folder.path },
    });
    using client = await connectRaw(gateway.port);
    client.send('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
    await gateway.fact('request.received');
    const stopped = gateway.gateway.stop();
    const { source } = await get<Overview>(gateway, 'overview');
    assert.equal(source.title, `127.0.0.1:${gateway.port}`);
    await get<RequestStory>(gateway, 'request?id=1');
    assert.ok(!gateway.entries.some(({ fact }) => fact.type === 'listener.closed'), 'it still waits');
    client.socket.destroy();
    await stopped;
  });

  it('refuses what it cannot make sense of', async () => {
    await using gateway = await startTestGateway({});
    const paths = [
      'moment?seq=-1',
      'moment?seq=1e3',
      'moment?at=now',
      'overview?buckets=0',
      'overview?buckets=100000',
      'entries?limit=501',
      `entries?types=${'a,'.repeat(60)}`,
      'step?seq=1&to=nowhere',
      'step?to=nextEntry',
      'request',
      `request?id=${'x'.repeat(201)}`,
    ];
    for (const path of paths) {
      const response = await fetch(`${gateway.adminUrl}/inspector/api/${path}`);
      assert.equal(response.status, 400, path);
      assert.match(await response.text(), /"bad_question","message":"\w+ must be /);
    }
    assert.equal((await fetch(`${gateway.adminUrl}/inspector/api/nothing`)).status, 404);
  });
});

describe('the thread that answers', () => {
  const SOURCE = { kind: 'live', title: 'the test', version: '', canChange: false } as const;

  it('runs only while somebody asks, and comes back with all it knew', async () => {
    using folder = temporaryFolder();
    await using recorded = await record(folder.path);
    recorded.serve();
    await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
    const inspector = createLiveInspector({
      dir: folder.path,
      log: recorded.log.stats,
      source: () => SOURCE,
      now: () => assert.fail('the log has the answer'),
      idleMs: 100,
    });
    assert.equal(inspector.isAwake, false);
    for (let round = 0; round < 2; round += 1) {
      await eventually(
        async () => (await inspector.ask({ ask: 'moment' })).status === 200,
        'it has read the log',
      );
      assert.equal(inspector.isAwake, true);
      await eventually(() => !inspector.isAwake, 'it has ended');
    }
    await inspector.close();
    assert.equal((await inspector.ask({ ask: 'moment' })).status, 503);
  });

  it('takes a bounded number of questions at a time', async () => {
    using folder = temporaryFolder();
    const setup = () => ({ isLive: true, source: SOURCE });
    const inquiry = createInquiry({ path: folder.path, setup, idleMs: undefined });
    const asked = Array.from({ length: 50 }, () => inquiry.ask({ ask: 'overview', buckets: 10, notes: [] }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    assert.deepEqual(statuses.filter((status) => status === 200).length, 32);
    assert.deepEqual(statuses.filter((status) => status === 503).length, 18);
    assert.equal((await inquiry.ask({ ask: 'overview', buckets: 10, notes: [] })).status, 200);
    await inquiry.close();
  });

  it('answers what goes wrong at its start, and does not throw it at who asks', async () => {
    const setup = () => {
      throw new Error('there is no port any more');
    };
    const inquiry = createInquiry({ path: 'nowhere', setup, idleMs: undefined });
    const { status, body } = await inquiry.ask({ ask: 'moment' });
    assert.equal(status, 500);
    assert.match(body, /"inspector_failed".*there is no port any more/);
    await inquiry.close();
  });

  it('has the life of one request told at a time, beside other questions', async () => {
    using folder = temporaryFolder();
    await using recorded = await record(folder.path);
    recorded.serve();
    await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
    const setup = () => ({ isLive: true, source: SOURCE });
    const inquiry = createInquiry({ path: folder.path, setup, idleMs: undefined });
    const stories = [inquiry.ask({ ask: 'request', id: '1' }), inquiry.ask({ ask: 'request', id: '1' })];
    assert.equal((await inquiry.ask({ ask: 'overview', buckets: 10, notes: [] })).status, 200);
    assert.deepEqual(
      (await Promise.all(stories)).map(({ status }) => status),
      [200, 503],
    );
    assert.equal((await inquiry.ask({ ask: 'request', id: '1' })).status, 200, 'and then the next');
    await inquiry.close();
  });

  it('leaves no question open when it is ended', async () => {
    using folder = temporaryFolder();
    const setup = () => ({ isLive: true, source: SOURCE });
    const inquiry = createInquiry({ path: folder.path, setup, idleMs: undefined });
    const asked = inquiry.ask({ ask: 'chart' });
    await inquiry.close();
    assert.match((await asked).body, /error/);
  });

  it('says what is wrong with the recording, and shows the present while there is no other', async () => {
    const stats = { dir: '', segment: null, seq: 7, writtenSeq: 0, syncedSeq: 0, waitingBytes: 0 };
    const log = {
      ...stats,
      state: 'failed',
      reason: 'ENOSPC',
      lagMs: 0,
      bytes: 0,
      dropped: 5,
      gaps: 0,
    } as const;
    const inspector = createLiveInspector({
      dir: 'nowhere',
      log: () => log,
      source: () => SOURCE,
      now: (seq) => ({
        seq,
        at: 1,
        phase: 'running',
        thresholds: { fall: 1, rise: 1 },
        backends: [],
        picks: [],
        waiting: [],
        waitingTotal: 0,
        inFlight: 0,
        perSecond: { received: 0, placed: {} },
      }),
    });
    assert.match(inspector.notes().join(), /recording has failed \(ENOSPC\).*\(5 entries so far\)/);
    const { body } = await inspector.ask({ ask: 'moment' });
    assert.match(body, /^\{"seq":7,/);
    await inspector.close();
  });
});
