/**
 * Requests that ask for another protocol and are served as what they are. The parser drops bytes behind them, so that nothing
 * may be served there: what looks like a request may be the body of one.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRaw } from '../support/raw-client.ts';
import { withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chunk, LAST_CHUNK, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';

const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
const SMUGGLED = requestText({ target: '/v1/smuggled' });
/** How the body of the request behind is announced, and how it looks. */
const FRAMINGS: readonly (readonly [string, string, string])[] = [
  ['Content-Length', `Content-Length: ${SMUGGLED.length}`, SMUGGLED],
  ['chunks', 'Transfer-Encoding: chunked', `${chunk(SMUGGLED)}${LAST_CHUNK}`],
];
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Sends the pieces, the second once the first has arrived, and looks at what became of them. */
async function smuggle(first: string, second: string): Promise<{ asked: string; paths: string[] }> {
  await using backend = await startRawBackend();
  let asked = '';
  const paths: string[] = [];
  await withGateway({ backends: [backend] }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(first);
    const peer = await backend.connection(1);
    client.send(second);
    await peer.until((text) => text.includes(first.startsWith('POST') ? SMUGGLED : '\r\n\r\n'));
    peer.send(ANSWER);
    const responses = responsesOf(client);
    const response = await responses.next();
    assert.equal(response.body, 'ok');
    assert.deepEqual(valuesIn(response, 'connection'), ['close']);
    assert.equal((await responses.rest()).text, '');
    asked = peer.text;
    assert.equal(backend.connections.length, 1);
    for (const { fact } of gateway.entries) if (fact.type === 'request.received') paths.push(fact.path);
  });
  return { asked, paths };
}

describe('behind a request for another protocol', () => {
  for (const [name, framing, body] of FRAMINGS) {
    const behind = requestText({ target: '/v1/behind', method: 'POST', headers: [framing] });
    it(`the body of a request, told by ${name}, is not served as a request`, async () => {
      const { paths } = await smuggle(requestText({ target: '/v1/first', headers: H2C }) + behind, body);
      assert.deepEqual(paths, ['/v1/first']);
    });

    it(`that has a body itself, told by ${name}, nothing is served`, async () => {
      const head = requestText({ target: '/v1/first', method: 'POST', headers: [...H2C, framing] });
      const { asked, paths } = await smuggle(head + body + behind, body + SMUGGLED);
      assert.ok(asked.includes(SMUGGLED), asked);
      assert.deepEqual(paths, ['/v1/first']);
    });

    it(`that has a body itself, told by ${name} and sent later, nothing is served`, async () => {
      const head = requestText({ target: '/v1/first', method: 'POST', headers: [...H2C, framing] });
      const whole = head + body + behind + body;
      for (const at of [head.length + body.length, whole.length - body.length]) {
        const { asked, paths } = await smuggle(whole.slice(0, at), whole.slice(at));
        assert.ok(asked.includes(SMUGGLED), asked);
        assert.deepEqual(paths, ['/v1/first']);
      }
    });
  }

  const others: [string, readonly string[]][] = [
    ['whose Connection is spelled differently', ['connection:keep-alive ,\tUPGRADE', 'upgrade: TLS/1.0']],
    ['with Proxy-Connection', ['Proxy-Connection: upgrade', 'Upgrade: h2c']],
    ['for a WebSocket with a method that cannot have one', ['Connection: upgrade', 'Upgrade: websocket']],
  ];
  for (const [what, headers] of others) {
    it(`${what} nothing is served`, async () => {
      const method = what.includes('method') ? 'DELETE' : 'GET';
      const first = requestText({ target: '/v1/first', method, headers });
      const behind = requestText({ target: '/v1/behind', body: SMUGGLED });
      const head = behind.slice(0, -SMUGGLED.length);
      assert.deepEqual((await smuggle(first + head, SMUGGLED)).paths, ['/v1/first']);
    });
  }

  it('nothing is served where it stood behind another request itself', async () => {
    const first = requestText({ target: '/v1/first' });
    const asks = requestText({
      target: '/v1/second',
      headers: ['Connection: upgrade', 'Upgrade: websocket'],
    });
    await using backend = await startRawBackend((peer) => peer.send(ANSWER));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(first + asks + SMUGGLED);
      const responses = responsesOf(client);
      assert.deepEqual(valuesIn(await responses.next(), 'connection'), ['keep-alive']);
      assert.deepEqual(valuesIn(await responses.next(), 'connection'), ['close']);
      assert.equal((await responses.rest()).text, '');
    });
  });

  it('nothing is served where the gateway refuses it in its own name', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ target: '/nope', headers: H2C }) + SMUGGLED);
      const responses = responsesOf(client);
      const response = await responses.next();
      assert.equal(response.status, 404);
      assert.deepEqual(valuesIn(response, 'connection'), ['close']);
      assert.equal((await responses.rest()).text, '');
      assert.equal(backend.connections.length, 0);
    });
  });
});
