/** What was wrong with an answer that is refused is on record, in a word of the gateway's own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AnswerFault, Entry } from '../../../src/actors/events.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { withGateway } from '../support/gateway.ts';
import { startCannedBackend } from '../support/raw-backend.ts';
import { requestText } from '../support/requests.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const LONG = 'x'.repeat(100_000);

const BAD: readonly [AnswerFault, string][] = [
  ['statusLine', 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n'],
  ['headerLine', `${OK}No header\r\n\r\n`],
  ['headerLine', `${CHUNKED}0\r\nNo trailer\r\n\r\n`],
  ['headTooLong', `${OK}X: ${LONG}\r\n\r\n`],
  ['statusLine', LONG],
  ['length', `${OK}Content-Length: five\r\n\r\n`],
  ['length', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
  ['lengthAndCoding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ['protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['chunkSize', `${CHUNKED}five\r\nhello\r\n`],
  ['chunkEnd', `${CHUNKED}3\r\nhello\r\n`],
  ['trailersTooLong', `${CHUNKED}0\r\nX: ${LONG}\r\n\r\n`],
];

const CUT: readonly [AnswerFault, string][] = [
  ['headCut', 'HTTP'],
  ['headCut', 'HTTP/1.1 20'],
  ['headCut', `${OK}X: y\r\n`],
  ['headCut', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  // As a server of SSH, of TLS and of HTTP/2 answer to a request in plain HTTP/1.1.
  ['statusLine', 'SSH-2.0-OpenSSH_9.2p1\r\nInvalid SSH identification string.\r\n'],
  ['statusLine', '\x15\x03\x01\x00\x02\x02\x46'],
  ['statusLine', '\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
  ['statusLine', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
];

/** Asks a gateway whose backend sends the same to everybody. @returns the entry that ended the attempt */
async function failureAt(answer: string, closes = false): Promise<Entry> {
  await using backend = await startCannedBackend(answer, { closes });
  let failure: Entry | undefined;
  await withGateway({ backends: [backend] }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(requestText({ headers: ['Connection: close'] }));
    failure = await gateway.entry(({ fact }) => fact.type === 'response.failed');
    await client.closed();
  });
  assert.ok(failure !== undefined);
  return failure;
}

describe('the record of an answer that is refused', () => {
  for (const [fault, answer] of BAD) {
    it(`says ${fault} of ${JSON.stringify(answer.slice(0, 80))}`, async () => {
      const { fact } = await failureAt(answer);
      assert.ok(fact.type === 'response.failed');
      assert.deepEqual([fact.reason, fact.fault], ['badResponse', fault]);
    });
  }

  for (const [fault, answer] of CUT) {
    it(`says ${fault} of ${JSON.stringify(answer)}, behind which the connection closes`, async () => {
      const { fact } = await failureAt(answer, true);
      assert.ok(fact.type === 'response.failed');
      assert.deepEqual([fact.reason, fact.fault], ['badResponse', fault]);
    });
  }

  it('has nothing of what the backend sent', async () => {
    const entry = await failureAt(`${OK}Content-Length: secret\r\n\r\n`);
    assert.doesNotMatch(JSON.stringify(entry), /secret/);
  });
});
