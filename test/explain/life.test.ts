/** The life of a request: what it waited for, why it was sent again or not, how it ended, in each way there is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoreConfig } from '../../src/actors/events.ts';
import type { LifeEvent } from '../../src/actors/explain/life.ts';
import { eventWords } from '../../src/io/explain/event-words.ts';
import { factWords } from '../../src/io/explain/words.ts';
import { backend, coreConfig, ended, failed, probeFailed, received, started } from '../support/core.ts';
import { lifeOf, opened, record, type Script } from './support.ts';

/** Events in words, with their type and offset; picks without their candidates. */
async function told(config: CoreConfig, id: string, script: (script: Script) => void) {
  const life = await lifeOf(record(config, script), id);
  const words = life.timeline.map(
    (event) => `+${event.at - life.arrivedAt} ${event.type}: ${eventWords(event, life)}`,
  );
  const { outcome, code, phase, backends, retries, status } = life;
  return { words, summary: { outcome, code, phase, backends, retries, status } };
}

function typed<Type extends LifeEvent['type']>(words: readonly string[], type: Type): string[] {
  return words.flatMap((line) => (line.includes(` ${type}: `) ? [line.replace(/^\S+ \S+ /, '')] : []));
}

const ONE = coreConfig({ backends: [backend('a')], pool: { size: 1 } });
const TWO = coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 } });

describe('a request that is answered', () => {
  it('arrives, gets a new socket, its first byte and its end', async () => {
    const { words, summary } = await told(ONE, 'id-1', (script) => {
      script.take(received(1));
      script.wait(3).take(opened('a', 1));
      script.wait(118).take(started(1, 1));
      script.wait(879).take(ended(1, 1));
    });
    assert.deepEqual(words, [
      '+0 arrived: arrived with a body of 10 bytes; no other request',
      '+0 picked: given to a:',
      '+0 connecting: opens socket 1 to a (lease 1)',
      '+3 leased: socket 1 is open after 3 ms; the request is sent',
      '+121 first-byte: first byte: status 200 from a, 118 ms after it was sent',
      '+1000 ended: ended: 10 bytes in 1 piece, 879 ms after the first byte; the socket was kept',
    ]);
    assert.deepEqual(summary, {
      outcome: 'ended',
      code: null,
      phase: 'answering',
      backends: ['a'],
      retries: 0,
      status: 200,
    });
  });

  it('takes an idle socket, of which age, idle time and use are told', async () => {
    const { words } = await told(ONE, '3', (script) => {
      script.take(received(1));
      script.wait(2).take(opened('a', 1));
      script.wait(10).take(ended(1, 1), received(2), ended(2, 2));
      script.wait(500).take(received(3));
    });
    assert.deepEqual(typed(words, 'leased'), [
      'sent over idle socket 1 (lease 3): open for 510 ms, idle for 500 ms, 2 requests before this one',
    ]);
  });

  it('opens a new socket for a body that cannot be sent twice, though one is idle', async () => {
    const config = coreConfig({ backends: [backend('a')] });
    const { words } = await told(config, '2', (script) => {
      script.take(received(1), opened('a', 1), ended(1, 1));
      script.take(received(2, { replayable: false }));
    });
    assert.deepEqual(typed(words, 'arrived'), [
      'arrived with a body of 10 bytes, which can be sent only once; no other request',
    ]);
    assert.deepEqual(typed(words, 'connecting'), [
      'opens socket 2 to a (lease 2) and takes no idle one, since its body can be sent only once',
    ]);
  });

  it('is not the worse for a backend that closes its socket behind the answer', async () => {
    const { words } = await told(ONE, '1', (script) => {
      script.take(received(1), opened('a', 1), started(1, 1));
      script.take({ type: 'socket.closed', backend: 'a', socket: 1 }, ended(1, 1));
    });
    assert.deepEqual(typed(words, 'socket-closed'), ['a closed socket 1']);
    assert.match(typed(words, 'ended')[0] ?? '', /the socket was not kept$/);
  });
});

describe('a request that waits', () => {
  it('is told its place, who is ahead, how the line moves, and what made room', async () => {
    const { words } = await told(ONE, '4', (script) => {
      script.take(received(1), opened('a', 1), received(2), received(3));
      script.wait(5).take(received(4));
      script.wait(10).take({ type: 'client.aborted', request: 2 });
      script.wait(20).take(ended(1, 1));
      script.wait(70).take(ended(3, 2));
    });
    assert.deepEqual(words.slice(2, -1), [
      '+0 queued: waits at place 3 of 3, until 03:12:30.005 at the latest; ahead of it: requests 2, 3',
      '+10 line: the client of request 2, which was ahead, left; now at place 2',
      '+30 line: request 3, which was ahead, went to a; now at place 1',
      '+100 picked: given to a after 100 ms in line, since request 3 ended (10 bytes):',
    ]);
  });

  it('learns who overtook it, and who came back to a place ahead of it', async () => {
    const config = coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 } });
    const play = (script: Script) => {
      // 1 loses a and may go to b only; 2 holds b.
      script.take(received(1), received(2), opened('b', 2), received(3), received(4));
      script.take({ type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
    };
    const first = await told(config, '1', play);
    assert.deepEqual(typed(first.words, 'queued').length, 1);
    const overtaken = await told(config, '1', (script) => {
      play(script);
      script.take({ type: 'socket.failed', backend: 'a', socket: 3, reason: 'refused' });
    });
    assert.deepEqual(typed(overtaken.words, 'line'), [
      'request 3 came later and went ahead to a, which had failed this one',
      'request 4 came later and went ahead to a, which had failed this one',
    ]);
    const behind = await told(config, '4', play);
    assert.deepEqual(typed(behind.words, 'line'), [
      'request 1 came earlier, lost its backend, and took its old place ahead; now at place 3',
      'request 3, which was ahead, went to a; now at place 2',
    ]);
  });

  it('sees the reload or the restored backend that made room', async () => {
    const { words } = await told(ONE, '2', (script) => {
      script.take(received(1), received(2));
      script.wait(8).take({ type: 'config.reloaded', config: TWO });
    });
    assert.deepEqual(words.slice(3, 6), [
      '+8 config-reloaded: the config was reloaded',
      '+8 backend-changed: b came with the config: healthy',
      '+8 picked: given to b after 8 ms in line, since the config was reloaded:',
    ]);
  });
});

describe('a request that loses its backend', () => {
  const lose = (changes: Parameters<typeof failed>[2], config = TWO, options = {}) =>
    told(config, '1', (script) => {
      script.take(received(1, options), opened('a', 1));
      script.wait(2).take(failed(1, 1, changes));
    });

  it('is sent again where a kept socket was stale, and where there is no other backend, over a new one', async () => {
    const { words, summary } = await told(ONE, '2', (script) => {
      script.take(received(1), opened('a', 1), ended(1, 1));
      script.wait(4000).take(received(2));
      script.wait(1).take(failed(2, 2));
    });
    assert.deepEqual(words.slice(3), [
      '+1 failed: a failed before the first byte: reset, over idle socket 1',
      '+1 retried: sent again (uses up no attempt): safe, since the backend had closed the kept socket before it saw the request',
      '+1 picked: given to a:',
      '+1 connecting: opens socket 2 to a (lease 3)',
    ]);
    assert.deepEqual([summary.retries, summary.backends], [1, ['a', 'a']]);
  });

  it('is sent again where nothing of it was written', async () => {
    const { words } = await lose({ written: false, reason: 'headersTimeout' });
    assert.deepEqual(typed(words, 'retried'), [
      'sent again (attempt 1 of 2): safe, since nothing of it had reached the backend',
    ]);
  });

  it('is sent again where retry.on allows it', async () => {
    const { words } = await lose({});
    assert.deepEqual(typed(words, 'retried'), [
      'sent again (attempt 1 of 2): allowed by retry.on: emptyResponse, since no byte of an answer had come',
    ]);
  });

  it('is sent again where the connection could not be opened', async () => {
    const { words } = await told(TWO, '1', (script) => {
      script.take(received(1));
      script.wait(1).take({ type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
    });
    assert.deepEqual(typed(words, 'failed'), ['a could not be reached: refused']);
    assert.deepEqual(typed(words, 'retried').length, 1);
  });

  const refusals: readonly [
    title: string,
    outcome: ReturnType<typeof lose>,
    why: string,
    code: string | null,
  ][] = [
    [
      'the backend may be at work on it',
      lose({ reason: 'headersTimeout' }),
      'a failed before the first byte: headersTimeout, over socket 1; not sent again: the backend had it and may be at work on it',
      'backend_timeout',
    ],
    [
      'its body is gone',
      lose({}, TWO, { replayable: false }),
      'a failed before the first byte: reset, over socket 1; not sent again: its body was too long to be kept for a second time',
      'backend_failed',
    ],
    [
      'retry.on does not allow it',
      lose({}, coreConfig({ backends: TWO.backends, retry: { on: [] } })),
      'a failed before the first byte: reset, over socket 1; not sent again: the backend may have begun it, and retry.on does not have emptyResponse',
      'backend_failed',
    ],
    [
      'the attempts are used up',
      lose({ written: false }, coreConfig({ backends: TWO.backends, retry: { attempts: 0 } })),
      'a failed before the first byte: reset, over socket 1; not sent again: retry.attempts is used up',
      'backend_failed',
    ],
    [
      'there is no other backend',
      lose({ written: false, reason: 'refused' }, ONE),
      'a failed before the first byte: refused, over socket 1; it could be sent again, but there is no other healthy backend that has not failed it',
      'backend_unreachable',
    ],
  ];
  for (const [title, outcome, why, code] of refusals) {
    it(`is rejected where ${title}`, async () => {
      const { words, summary } = await outcome;
      assert.deepEqual(typed(words, 'failed'), [why]);
      assert.deepEqual([summary.outcome, summary.code], ['rejected', code]);
    });
  }

  it('is broken off where its answer has begun', async () => {
    const { words, summary } = await told(TWO, '1', (script) => {
      script.take(received(1), opened('a', 1), started(1, 1));
      script.wait(9).take(failed(1, 1, { reason: 'closed', bytes: 9120, chunks: 120 }));
    });
    assert.deepEqual(typed(words, 'failed'), [
      'a broke off: closed, after 9,120 bytes in 120 pieces; not sent again: the client has a part of the answer already',
    ]);
    assert.deepEqual([summary.outcome, summary.status], ['failed', 200]);
  });
});

describe('a request is rejected with', () => {
  const rejections: readonly [code: string, outcome: ReturnType<typeof told>, words: string][] = [
    [
      'no_backend_configured',
      told(coreConfig({ backends: [] }), '1', (script) => script.take(received(1))),
      'rejected with no_backend_configured (status 503): the config has no backend',
    ],
    [
      'no_healthy_backend',
      told(ONE, '2', (script) => {
        script.take(received(1), received(2), probeFailed('a'), probeFailed('a'));
        script.wait(40).take(probeFailed('a'));
      }),
      'rejected with no_healthy_backend (status 503) after 40 ms in line: no backend was healthy',
    ],
    [
      'queue_full',
      told(coreConfig({ backends: ONE.backends, pool: ONE.pool, queue: { max: 1 } }), '3', (script) =>
        script.take(received(1), received(2), received(3)),
      ),
      'rejected with queue_full (status 503): 1 were waiting already, and pool.queue.max is 1',
    ],
    [
      'queue_timeout',
      told(ONE, '2', (script) => {
        script.take(received(1), received(2));
        script.wait(30_000).take({ type: 'timer.fired', timer: 'queue', request: 2 });
      }),
      'rejected with queue_timeout (status 503) after 30 s in line: it had waited as long as pool.queue.timeoutMs allows, and there was still no room',
    ],
    [
      'backend_unreachable',
      told(ONE, '1', (script) =>
        script.take(received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' }),
      ),
      'rejected with backend_unreachable (status 502): a failed it (refused)',
    ],
    [
      'backend_failed',
      told(ONE, '1', (script) => script.take(received(1), opened('a', 1), failed(1, 1))),
      'rejected with backend_failed (status 502): a failed it (reset)',
    ],
    [
      'backend_timeout',
      told(ONE, '1', (script) =>
        script.take(received(1), opened('a', 1), failed(1, 1, { reason: 'headersTimeout' })),
      ),
      'rejected with backend_timeout (status 504): a failed it (headersTimeout)',
    ],
    [
      'gateway_stopping',
      told(ONE, '1', (script) =>
        script.take({ type: 'gateway.stopping' }, { type: 'listener.closed' }, received(1)),
      ),
      'rejected with gateway_stopping (status 503): the gateway had stopped',
    ],
  ];
  for (const [code, outcome, words] of rejections) {
    it(code, async () => {
      const life = await outcome;
      assert.equal(life.summary.code, code);
      assert.deepEqual(typed(life.words, 'rejected'), [words]);
    });
  }

  it('a look at every backend where its wait ends in vain', async () => {
    const folder = record(ONE, (script) => {
      script.take(received(1), received(2));
      script.wait(30_000).take({ type: 'timer.fired', timer: 'queue', request: 2 });
    });
    const last = (await lifeOf(folder, '2')).timeline.at(-1);
    assert.ok(last?.type === 'rejected');
    assert.deepEqual(
      last.candidates?.map(({ backend: id, verdict }) => [id, verdict]),
      [['a', 'full']],
    );
  });
});

describe('a client that leaves', () => {
  const abort = { type: 'client.aborted', request: 1 } as const;
  const phases: readonly [phase: string, script: (script: Script) => void][] = [
    ['while the connection was being opened', (script) => script.take(received(1), abort)],
    ['before the first byte of the answer', (script) => script.take(received(1), opened('a', 1), abort)],
    ['while the answer came', (script) => script.take(received(1), opened('a', 1), started(1, 1), abort)],
    ['while it waited in line', (script) => script.take(received(2), received(1), abort)],
  ];
  for (const [phase, script] of phases) {
    it(`${phase} ends the request there`, async () => {
      const { words, summary } = await told(ONE, '1', (play) => void script(play));
      assert.deepEqual(typed(words, 'aborted'), [
        `the client left ${phase}; what the request held was given back`,
      ]);
      assert.equal(summary.outcome, 'aborted');
    });
  }

  for (const [because, why] of [
    ['idleReader', 'its client read nothing of the answer for too long (server.idleReaderTimeoutMs)'],
    ['bodyTimeout', 'its client sent nothing of the body for too long (server.bodyIdleTimeoutMs)'],
    ['bodyTooLarge', 'its body turned out to be too long (server.maxBodyBytes)'],
    ['badRequest', 'the rest of it was not valid HTTP'],
  ] as const) {
    it(`is told from one that was cut off: ${because}`, async () => {
      const cut = { ...abort, because };
      const { words } = await told(ONE, '1', (play) => void play.take(received(1), opened('a', 1), cut));
      assert.deepEqual(typed(words, 'aborted'), [`given up before the first byte of the answer: ${why}`]);
      assert.equal(factWords(cut), `request 1 was given up: ${why}`);
    });
  }
});
