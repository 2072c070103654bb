/** What `explain` says of answers that were thrown away, of pauses, of ejections, and of the retry budget. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backend, coreConfig, ended, failed, held, received } from '../support/core.ts';
import { lifeOf, opened, record, type Script, textOf } from './support.ts';

const backends = [backend('a'), backend('b')];
const config = coreConfig({ backends, retry: { attempts: 1, on: ['503'] }, outlier: {} });

async function told(script: (script: Script) => void, id: string, other = config): Promise<string> {
  return textOf(await lifeOf(record(other, script), id));
}

const flat = (text: string) => text.replaceAll(/\s+/g, ' ');

describe('explain of a request', () => {
  it('tells of an answer that was thrown away, and where the request went then', async () => {
    const text = await told((script) => {
      script.take(received(1), opened('a', 1));
      script.wait(5).take(held(1, 1, 503));
      script.wait(2).take(opened('b', 2));
      script.wait(50).take(ended(1, 2));
    }, 'id-1');
    assert.match(text, /^Answered by b with status 200 after 57 ms, having failed at a\.$/m);
    assert.match(text, /\+5 ms {2}a answered with status 503, of which the client got nothing$/m);
    assert.match(
      flat(text),
      /sent again \(attempt 1 of 1\): allowed by retry\.on, since the client had nothing/,
    );
    assert.match(text, /^ +a +1 .* it failed this request before$/m);
  });

  it('tells why such an answer went to the client all the same', async () => {
    const text = await told((script) => {
      script.take(received(1), opened('a', 1), held(1, 1, 503), opened('b', 2));
      script.wait(5).take(held(1, 2, 503), ended(1, 2, true, 503));
    }, 'id-1');
    assert.match(text, /^Answered by b with status 503/m);
    assert.match(text, /passed on to the client: retry\.attempts is used up$/m);
  });

  it('tells that the retry budget kept it from being sent again', async () => {
    const retry = { on: ['emptyResponse'], budgetShare: 0, budgetWindowMs: 10_000 } as const;
    const strict = coreConfig({ backends, retry, pool: { size: 1 } });
    const text = await told(
      (script) => {
        for (const request of [1, 2, 3, 4]) {
          const lease = 2 * request - 1;
          const id = request % 2 === 1 ? 'a' : 'b';
          script.take(received(request), opened(id, lease), failed(request, lease));
          script.take({ type: 'client.aborted', request });
        }
      },
      'id-4',
      strict,
    );
    assert.match(flat(text), /not sent again: the retry budget is used up \(retry\.budgetShare\)/);
  });

  it('tells of a backend that was passed over since it asked for it', async () => {
    const text = await told((script) => {
      script.take(received(1), opened('a', 1));
      const amount = { bytes: 1, chunks: 1, reusable: true };
      script.take({
        type: 'response.ended',
        request: 1,
        lease: 1,
        status: 429,
        ...amount,
        retryAfterMs: 900,
      });
      script.take(received(2));
      script.wait(100).take(received(3));
    }, 'id-3');
    assert.match(text, /^ +a +1 .* it asked to be left alone \(Retry-After\)$/m);
    assert.match(text, /^ +→ b .* the only one that can take it$/m);
  });

  it('tells of a backend in slow start, with the weight and the sockets it has by then', async () => {
    const slow = coreConfig({ backends, health: { slowStartMs: 15_000 }, pool: { size: 16 } });
    const text = await told(
      (script) => {
        script.take({ type: 'operator.drained', backend: 'a' }, { type: 'operator.restored', backend: 'a' });
        script.wait(1000);
        // One of eight, and then the two that it may have at the same time.
        for (let request = 1; request <= 26; request += 1) script.take(received(request));
      },
      'id-26',
      slow,
    );
    assert.match(flat(text), /a 0\.125 of 1 .* it starts slowly, with 2 of 16 sockets, and has 2 on lease/);
  });

  it('tells of a backend that was ejected, and why', async () => {
    const strict = coreConfig({ backends, outlier: { consecutiveFailures: 1 } });
    const text = await told(
      (script) => {
        script.take(received(1), opened('a', 1), ended(1, 1, true, 500));
        script.wait(1000).take(received(2));
      },
      'id-2',
      strict,
    );
    assert.match(flat(text), /ejected since 03:12:00: a request failed with: status 500; out for 30 s/);
  });
});
