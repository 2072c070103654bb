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
  ['length', `${OK}Content-Length: five\r\n\r\n`],
  ['length', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
  ['lengthAndCoding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ['protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['chunkSize', `${CHUNKED}five\r\nhello\r\n`],
  ['chunkEnd', `${CHUNKED}3\r\nhello\r\n`],
  ['trailersTooLong', `${CHUNKED}0\r\nX: ${LONG}\r\n\r\n`],
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

  it('says that it broke off within its head', async () => {
    const { fact } = await failureAt(`${OK}X: y\r\n`, true);
    assert.ok(fact.type === 'response.failed');
    assert.deepEqual([fact.reason, fact.fault], ['badResponse', 'headCut']);
  });

  it('has nothing of what the backend sent', async () => {
    const entry = await failureAt(`${OK}Content-Length: secret\r\n\r\n`);
    assert.doesNotMatch(JSON.stringify(entry), /secret/);
  });
});
