/** Who may ask the inspector and the rest of the admin listener, and what an answer allows a browser. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';

const TOKEN = 'a-token-that-nobody-guesses';

type Got = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly text: string };

function ask(url: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    request.on('error', reject).end();
  });
}

const statusOf = async (url: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET') =>
  (await ask(url, headers, method)).status;

const withToken = () => startTestGateway({ admin: { token: TOKEN } });

describe('the page', () => {
  it('is served with all it loads, and may load nothing from elsewhere', async () => {
    await using gateway = await startTestGateway({});
    const page = await ask(`${gateway.adminUrl}/inspector/`);
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    const policy = String(page.headers['content-security-policy']);
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "form-action 'none'",
    ]) {
      assert.ok(policy.includes(part), `${part} in ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = '']) => name);
    assert.ok(loaded.length > 0);
    for (const name of loaded) {
      const file = await ask(new URL(name, `${gateway.adminUrl}/inspector/`).href);
      assert.equal(file.status, 200, name);
      assert.equal(file.headers['x-content-type-options'], 'nosniff');
    }
  });

  it('imports only what is served', async () => {
    await using gateway = await startTestGateway({});
    const seen = new Set([`${gateway.adminUrl}/inspector/main.js`]);
    for (const url of seen) {
      const { status, text, headers } = await ask(url);
      assert.equal(status, 200, url);
      assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
      for (const [, name = ''] of text.matchAll(/^(?:import|export)\b[^'"\n;]*?['"]([^'"]+)['"]/gm)) {
        assert.match(name, /^\.{1,2}\//, `${url} imports ${name}`);
        seen.add(new URL(name, url).href);
      }
    }
    assert.ok(
      [...seen].some((url) => url.endsWith('/lit-html/lit-html.js')),
      [...seen].join(' '),
    );
  });

  it('is found at its address without the slash', async () => {
    await using gateway = await startTestGateway({});
    const { status, headers } = await ask(`${gateway.adminUrl}/inspector`);
    assert.equal(status, 303);
    assert.equal(headers.location, '/inspector/');
  });

  it('leads nobody to another file', async () => {
    await using gateway = await startTestGateway({});
    const paths = [
      '/inspector/../admin.ts',
      '/inspector/..%2fadmin.ts',
      '/inspector/%2e%2e/admin.ts',
      '/inspector/main.ts',
      '/inspector/api.ts',
      '/inspector//etc/passwd',
      '/inspector/lit-html/package.json',
      '/inspector/lit-html/../../package.json',
      '/inspector/__proto__',
      '/inspector/api/__proto__',
    ];
    for (const path of paths) {
      using client = await connectRaw(gateway.gateway.adminPort);
      client.send(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
      const { text } = await client.closed();
      assert.match(text, /^HTTP\/1\.1 404 /, path);
    }
  });
});

describe('whoever asks', () => {
  it('must call the listener by its own name', async () => {
    await using gateway = await startTestGateway({});
    for (const path of [
      '/inspector/',
      '/inspector/api/overview',
      '/inspector/main.js',
      '/backends',
      '/health',
    ]) {
      const url = gateway.adminUrl + path;
      assert.equal(await statusOf(url, { host: 'rebound.example:9900' }), 403, path);
      assert.equal(await statusOf(url, { host: 'localhost:1' }), 200, path);
    }
    using client = await connectRaw(gateway.gateway.adminPort);
    client.send('GET /inspector/api/overview HTTP/1.0\r\n\r\n');
    assert.match((await client.closed()).text, /^HTTP\/1\.1 403 /, 'no Host at all');
  });

  it('may be no page of another site, by its Origin or by what the browser says of it', async () => {
    await using gateway = await startTestGateway({});
    const url = `${gateway.adminUrl}/inspector/api/overview`;
    assert.equal(await statusOf(url, { origin: 'http://evil.example' }), 403);
    assert.equal(await statusOf(url, { origin: 'null' }), 403);
    assert.equal(await statusOf(url, { 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await statusOf(url, { 'sec-fetch-site': 'same-site' }), 403, 'another port of this machine');
    assert.equal(await statusOf(url, { 'sec-fetch-site': 'same-origin', origin: gateway.adminUrl }), 200);
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    assert.equal(await statusOf(`${gateway.adminUrl}/inspector/`, link), 200, 'a link may be followed');
    const frame = { ...link, 'sec-fetch-dest': 'iframe' };
    assert.equal(await statusOf(`${gateway.adminUrl}/inspector/`, frame), 403, 'a frame may not be filled');
    assert.equal(await statusOf(`${gateway.adminUrl}/reload`, link, 'POST'), 403, 'a form may not be sent');
  });

  it('changes nothing from a page without the header that no form can send', async () => {
    await using gateway = await startTestGateway({});
    const url = `${gateway.adminUrl}/reload`;
    const page = { origin: gateway.adminUrl, 'sec-fetch-site': 'same-origin' };
    assert.equal(await statusOf(url, page, 'POST'), 403);
    assert.equal(await statusOf(url, { cookie: 'a=b' }, 'POST'), 403);
    assert.equal(await statusOf(url, { ...page, 'X-Reprise-Request': '1' }, 'POST'), 200);
    assert.equal(await statusOf(url, {}, 'POST'), 200, 'curl sends none of them');
    assert.equal(await statusOf(`${gateway.adminUrl}/inspector/api/overview`, {}, 'POST'), 405);
  });
});

describe('a token', () => {
  it('is wanted for everything but the health of the process', async () => {
    await using gateway = await withToken();
    for (const path of [
      '/backends',
      '/stats',
      '/inspector/',
      '/inspector/api/overview',
      '/inspector/main.js',
      '/x',
    ]) {
      const { status, headers } = await ask(gateway.adminUrl + path);
      assert.equal(status, 401, path);
      assert.match(headers['www-authenticate'] ?? '', /^Bearer/);
    }
    assert.equal(await statusOf(`${gateway.adminUrl}/reload`, {}, 'POST'), 401);
    assert.equal(await statusOf(`${gateway.adminUrl}/health`), 200);
  });

  it('is taken from the Authorization header, if it is the right one', async () => {
    await using gateway = await withToken();
    const url = `${gateway.adminUrl}/backends`;
    assert.equal(await statusOf(url, { authorization: `Bearer ${TOKEN}` }), 200);
    assert.equal(await statusOf(url, { authorization: `bearer ${TOKEN}` }), 200);
    for (const wrong of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, 'Bearer', TOKEN]) {
      assert.equal(await statusOf(url, { authorization: wrong }), 401, wrong);
    }
    const reload = `${gateway.adminUrl}/reload`;
    assert.equal(await statusOf(reload, { authorization: `Bearer ${TOKEN}` }, 'POST'), 200);
  });

  it('is exchanged for a cookie that no script can read and no other site can send', async () => {
    await using gateway = await withToken();
    const { status, headers, text } = await ask(`${gateway.adminUrl}/inspector?token=${TOKEN}`);
    assert.equal(status, 303);
    assert.equal(headers.location, '/inspector/', 'the token is gone from the address');
    const [cookie = ''] = headers['set-cookie'] ?? [];
    assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.ok(!`${cookie}${text}`.includes(TOKEN), 'the cookie is not the token');
    const sent = { cookie: `other=1; ${cookie.split(';')[0]}` };
    assert.equal(await statusOf(`${gateway.adminUrl}/inspector/`, sent), 200);
    assert.equal(await statusOf(`${gateway.adminUrl}/backends`, sent), 200);
    assert.equal(
      await statusOf(`${gateway.adminUrl}/reload`, sent, 'POST'),
      403,
      'a cookie alone changes nothing',
    );
    const own = { ...sent, 'X-Reprise-Request': '1', origin: gateway.adminUrl };
    assert.equal(await statusOf(`${gateway.adminUrl}/reload`, own, 'POST'), 200);
    assert.equal(await statusOf(`${gateway.adminUrl}/inspector?token=${TOKEN}x`), 401);
    assert.equal(await statusOf(`${gateway.adminUrl}/backends?token=${TOKEN}`), 401, 'at the page only');
  });

  it('is taken out of the address also where the cookie is there already, or no token is wanted', async () => {
    await using gateway = await withToken();
    const address = `${gateway.adminUrl}/inspector/?token=${TOKEN}`;
    const [cookie = ''] = (await ask(address)).headers['set-cookie'] ?? [];
    const sent = { cookie: cookie.split(';')[0] ?? '' };
    await using open = await startTestGateway({});
    const redirected = [
      await ask(address, sent),
      await ask(`${address}x`, sent),
      await ask(`${gateway.adminUrl}/inspector?token=${TOKEN}`, { authorization: `Bearer ${TOKEN}` }),
      await ask(`${open.adminUrl}/inspector/?token=${TOKEN}`),
    ];
    for (const { status, headers } of redirected) {
      assert.deepEqual([status, headers.location], [303, '/inspector/']);
    }
    assert.equal(await statusOf(address, { ...sent, origin: 'http://evil.example' }), 403);
  });

  it('lets the listener be called by any name, since a page that was rebound has none', async () => {
    await using gateway = await withToken();
    const url = `${gateway.adminUrl}/backends`;
    const host = 'gpu-box.internal:9900';
    const authorization = `Bearer ${TOKEN}`;
    assert.equal(await statusOf(url, { host, authorization }), 200);
    assert.equal(await statusOf(url, { host, authorization, origin: `https://${host}` }), 200, 'behind TLS');
    assert.equal(await statusOf(url, { host, authorization, origin: 'https://evil.example' }), 403);
    assert.equal(await statusOf(url, { host }), 401);
  });

  it('of another gateway is not taken', async () => {
    await using one = await withToken();
    await using other = await startTestGateway({ admin: { token: 'another-token-for-this' } });
    const { headers } = await ask(`${one.adminUrl}/inspector?token=${TOKEN}`);
    const [cookie = ''] = headers['set-cookie'] ?? [];
    const backends = (gateway: TestGateway) => `${gateway.adminUrl}/backends`;
    const sent = { cookie: cookie.split(';')[0] ?? '' };
    assert.deepEqual(
      [await statusOf(backends(one), sent), await statusOf(backends(other), sent)],
      [200, 401],
    );
  });
});
