/**
 * `upstream.http1: undici`, in the place of what Reprise has itself: what comes of an answer is the same with either,
 * so each is the other's judge.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startMock } from '../../../mock/server.ts';
import type { AnswerFault } from '../../../src/actors/events.ts';
import { drawFor } from '../../fuzz/random.ts';
import { SHAPES, validAnswer } from '../../fuzz/responses/valid.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { failuresOf, withGateway } from '../support/gateway.ts';
import { startCannedBackend, startRawBackend } from '../support/raw-backend.ts';
import { requestText } from '../support/requests.ts';
import { type RawResponse, responsesOf } from '../support/responses.ts';

const CHOICES = ['builtin', 'undici'] as const;
const MARKER = 'mk0123456789z';
const DRAWN = 40;

/** What a client of the gateway got, without what is never the same. */
function essence({ statusLine, headers, body, trailers, framing }: RawResponse) {
  const kept = headers.filter(
    (_, index) => !/^(x-request-id|date)$/i.test(headers[index - (index % 2)] ?? ''),
  );
  return { statusLine, headers: kept, body, trailers, framing };
}

describe('either way', () => {
  const answers = [
    ...SHAPES.map((shape) => shape(MARKER)),
    ...Array.from({ length: DRAWN }, (_, number) => validAnswer(drawFor('either', number), MARKER, 70_000)),
  ];

  it(`the client gets the same, for ${answers.length} answers`, async () => {
    for (const [index, answer] of answers.entries()) {
      const got: ReturnType<typeof essence>[] = [];
      for (const http1 of CHOICES) {
        await using backend = await startRawBackend((peer) => void peer.socket.end(answer, 'latin1'));
        await withGateway({ backends: [backend], upstream: { http1 } }, async (gateway) => {
          using asking = await connectRaw(gateway.port);
          asking.send(requestText());
          got.push(essence(await responsesOf(asking).next()));
          assert.equal(failuresOf(gateway), 0);
        });
      }
      assert.deepEqual(got[0], got[1], `answer ${index}: ${JSON.stringify(answer.slice(0, 200))}`);
    }
  });

  for (const http1 of CHOICES) {
    it(`asks again over a new connection where a kept one was stale: ${http1}`, async () => {
      await using mock = await startMock({ script: { fault: 'close', faultOnReusedSocket: true } });
      await withGateway({ backends: [mock], upstream: { http1 } }, async (gateway) => {
        using asking = await connectRaw(gateway.port);
        const responses = responsesOf(asking);
        for (let round = 1; round <= 2; round += 1) {
          asking.send(requestText());
          assert.equal((await responses.next()).status, 200);
        }
        assert.equal(gateway.entries.filter(({ fact }) => fact.type === 'response.failed').length, 1);
      });
    });

    it(`ends the request when the client leaves: ${http1}`, async () => {
      await using backend = await startRawBackend();
      await withGateway({ backends: [backend], upstream: { http1 } }, async (gateway) => {
        using asking = await connectRaw(gateway.port);
        asking.send(requestText());
        const peer = await backend.connection(1);
        asking.socket.destroy();
        await peer.closed();
        await gateway.fact('client.aborted');
        assert.equal(failuresOf(gateway), 0);
      });
    });
  }
});

describe('undici', () => {
  it('serves the sockets that are opened after a reload', async () => {
    const seen: string[] = [];
    await using backend = await startRawBackend((peer) => {
      // undici writes the fields that it sets in lower case.
      seen.push(/^connection: /m.test(peer.text) ? 'undici' : 'builtin');
      peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      using asking = await connectRaw(gateway.port);
      const responses = responsesOf(asking);
      for (const http1 of CHOICES) {
        await gateway.reconfigure({ backends: [backend], upstream: { http1 } });
        asking.send(requestText());
        assert.equal((await responses.next()).status, 200);
      }
    });
    assert.deepEqual(seen, ['builtin', 'undici']);
  });

  const halfHeads: readonly [string, boolean, AnswerFault | undefined][] = [
    ['HTTP/1.1 200 OK\r\nX: y\r\n', true, 'headCut'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', false, undefined],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', false, undefined],
    [
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      false,
      undefined,
    ],
  ];
  for (const [answer, closes, fault] of halfHeads) {
    it(`tells an answer that was cut off from one that it refuses: ${JSON.stringify(answer)}`, async () => {
      await using backend = await startCannedBackend(answer, { closes });
      await withGateway({ backends: [backend], upstream: { http1: 'undici' } }, async (gateway) => {
        using asking = await connectRaw(gateway.port);
        asking.send(requestText());
        const { fact } = await gateway.fact('response.failed');
        assert.ok(fact.type === 'response.failed');
        assert.deepEqual([fact.reason, fact.fault], ['badResponse', fault]);
      });
    });
  }

  it('does not use a socket again whose trailers spoke of the connection, since its parser heeds them', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\n';
    await using backend = await startRawBackend((peer) => peer.send(answer));
    await withGateway({ backends: [backend], upstream: { http1: 'undici' } }, async (gateway) => {
      using asking = await connectRaw(gateway.port);
      asking.send(requestText());
      assert.equal((await responsesOf(asking).next()).body, '');
      await (await backend.connection(1)).closed();
    });
  });
});
