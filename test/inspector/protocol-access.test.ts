/** Who may watch: whoever may ask the admin listener, and no web page of another site. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { inspectorUrl, joinAs } from './viewers.ts';

/** Asks for an upgrade, and is refused it. */
async function refusal(url: string, headers: http.OutgoingHttpHeaders) {
  const request = http.request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  request.end();
  const [response]: http.IncomingMessage[] = await once(request, 'response');
  assert.ok(response);
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response) text += piece;
  if (!response.socket.destroyed) await once(response.socket, 'close');
  return { status: response.statusCode, code: JSON.parse(text).error.code };
}

describe('the WebSocket of the inspector', () => {
  it('is refused to a page of another site', async () => {
    await using gateway = await startTestGateway({});
    const url = `${gateway.adminUrl}/inspector/ws`;
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
      assert.deepEqual(await refusal(url, { origin }), { status: 403, code: 'forbidden' });
    }
  });

  it('is refused to a name that was rebound to its address', async () => {
    await using gateway = await startTestGateway({});
    const url = `${gateway.adminUrl}/inspector/ws`;
    const host = `evil.example:${gateway.gateway.adminPort}`;
    assert.deepEqual(await refusal(url, { host, origin: `http://${host}` }), {
      status: 403,
      code: 'forbidden',
    });
  });

  it('is granted to a page of its own and to a program', async () => {
    await using gateway = await startTestGateway({});
    const page = await joinAs(inspectorUrl(gateway), { origin: gateway.adminUrl });
    const program = await joinAs(inspectorUrl(gateway));
    assert.deepEqual([page.readyState, program.readyState], [page.OPEN, program.OPEN]);
  });

  it('is nowhere else', async () => {
    await using gateway = await startTestGateway({});
    for (const path of ['/', '/backends', '/inspector/ws/', '/inspector/wss']) {
      const answer = await refusal(`${gateway.adminUrl}${path}`, {});
      assert.deepEqual(answer, { status: 404, code: 'not_found' }, path);
    }
  });

  it('leaves other calls as they are, also those that offer another protocol', async () => {
    await using gateway = await startTestGateway({});
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' };
    const request = http.get(`${gateway.adminUrl}/health`, { headers });
    const [response]: http.IncomingMessage[] = await once(request, 'response');
    assert.equal(response?.resume().statusCode, 200);
  });
});
