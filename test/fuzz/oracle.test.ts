/** The fuzzer's own judgement: what it takes for framed, and that it complains where there is something to complain about. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Told } from './conversation.ts';
import { echoMessage } from './echo.ts';
import { readRequests } from './http/requests.ts';
import { readResponse } from './http/responses.ts';
import { type Evidence, judgeRequests } from './judge.ts';
import { judgeAnswer } from './judge-answer.ts';
import { POISON } from './markers.ts';

const GET = 'GET /v1/a HTTP/1.1\r\nHost: h\r\n\r\n';
const POST = 'POST /v1/a HTTP/1.1\r\nHost: h\r\n';

describe('the strict reading of requests', () => {
  const cases: [what: string, text: string, requests: number, tail: string][] = [
    ['two in a row', GET + GET, 2, 'none'],
    [
      'nothing behind a close',
      `${GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}${GET}`,
      1,
      'closed',
    ],
    ['nothing behind a request for another protocol', `${POST}Upgrade: h2c\r\n\r\n${GET}`, 1, 'closed'],
    ['a length', `${POST}Content-Length: 2\r\n\r\nab${GET}`, 2, 'none'],
    [
      'chunks with extension and trailer',
      `${POST}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\nX: y\r\n\r\n`,
      1,
      'none',
    ],
    ['half a body', `${POST}Content-Length: 9\r\n\r\nab`, 0, 'incomplete'],
    [
      'a length and chunks',
      `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      0,
      'malformed',
    ],
    ['a bare LF', GET.replace('\r\n', '\n'), 0, 'malformed'],
    ['a space before the colon', `${POST}X : y\r\n\r\n`, 0, 'malformed'],
    ['two hosts', `${POST}Host: i\r\n\r\n`, 0, 'malformed'],
    [
      'a chunk size with a sign',
      `${POST}Transfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n0\r\n\r\n`,
      0,
      'malformed',
    ],
  ];
  for (const [what, text, count, fault] of cases) {
    it(`of ${what}`, () => {
      const { requests, tail } = readRequests(text);
      assert.deepEqual([requests.length, tail.fault], [count, fault], tail.why);
    });
  }

  it('takes no answer for whole that only closing ends, before that', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nabc';
    const open = readResponse(text, 0, { bodiless: false, isClosed: false });
    assert.equal('fault' in open ? open.fault : 'whole', 'incomplete');
    const closed = readResponse(text, 0, { bodiless: false, isClosed: true });
    assert.equal('ok' in closed ? closed.ok.body : '', 'abc');
  });
});

describe('the judge', () => {
  const address = '127.0.0.5';
  const stream = readRequests(GET);
  const [request] = stream.requests;
  assert.ok(request);
  const answer = echoMessage(request, address).replace('\r\n', '\r\nX-Reprise-Backend: a\r\n');
  const told = (text: string): Told => ({ text, wasReset: false, isClosed: true, gaveUp: false });
  const evidence = (changes: Partial<Evidence> = {}): Evidence => ({
    ...{ address, sent: GET, stream, told: told(answer), seen: [request], isValid: true },
    ...changes,
  });

  it('has nothing against a request that was answered', () => {
    assert.deepEqual(judgeRequests(evidence()), []);
  });

  const complaints: [what: string, changes: Partial<Evidence>, RegExp][] = [
    ['a request that was not framed', { seen: [request, { ...request, target: '/v1/b' }] }, /had not framed/],
    ['a request that was passed on twice', { seen: [request, request] }, /had not framed/],
    ['a second answer', { told: told(answer + answer) }, /to no request/],
    ["another's answer", { told: told(answer.replace(address, '127.0.0.6')) }, /is not to request 1/],
    ['no answer', { told: told('') }, /0 answers to 1 requests/],
    ["another's bytes", { told: told(`${answer}mk0123456789z`) }, /bytes of another/],
    ['bytes from behind an answer', { told: told(answer + POISON) }, /from behind the end/],
    ['a connection that stays', { told: { ...told(answer), isClosed: false } }, /still open/],
  ];
  for (const [what, changes, complaint] of complaints) {
    it(`complains about ${what}`, () => {
      assert.match(judgeRequests(evidence(changes)).join('; '), complaint);
    });
  }

  it('complains about half an answer that looks whole, and not about one that does not', () => {
    const half = {
      pieces: ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'],
      ending: 'FIN',
      times: 9,
    } as const;
    const given = (length: number) =>
      told(`HTTP/1.1 200 OK\r\nX-Reprise-Backend: a\r\nContent-Length: ${length}\r\n\r\nabc`);
    assert.match(
      judgeAnswer(evidence({ told: given(3) }), half).join(),
      /no whole answer was passed on as one/,
    );
    assert.deepEqual(judgeAnswer(evidence({ told: given(9) }), half), []);
  });

  const refused = told('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const answers: [what: string, text: string, mayRefuse: boolean][] = [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na', false],
    ['a length with a tab behind it', 'HTTP/1.1 200 OK\r\nContent-Length: 1\t\r\n\r\na', false],
    ['a coding with a tab behind it', `${chunked.replace('ed', 'ed\t')}1\r\na\r\n0\r\n\r\n`, false],
    ['a quoted extension', `${chunked}1;a="b\\"";c;d=e\r\na\r\n0\r\n\r\n`, false],
    ['a loose quote in an extension', `${chunked}1;a"b"\r\na\r\n0\r\n\r\n`, true],
    ['an extension with a name that is none', `${chunked}1;a?b\r\na\r\n0\r\n\r\n`, true],
    ['a trailer', `${chunked}1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n`, false],
    ['a length among trailers', `${chunked}1\r\na\r\n0\r\nContent-Length: 1z\r\n\r\n`, false],
    ['space around an extension', `${chunked}1 ;a\r\na\r\n0\r\n\r\n`, false],
  ];
  for (const [what, text, mayRefuse] of answers) {
    it(`${mayRefuse ? 'lets an answer be refused' : 'complains about the refusal of an answer'} for ${what}`, () => {
      const wrong = judgeAnswer(evidence({ told: refused }), { pieces: [text], ending: 'FIN', times: 9 });
      assert.equal(wrong.length, mayRefuse ? 0 : 1, wrong.join());
    });
  }

  it('takes an event stream for one however its type is spelled', () => {
    const pieces = ['HTTP/1.0 200 OK\r\nContent-Type: Text/Event-Stream\r\n\r\ndata: a'];
    const body = 'data: a\n\ndata: {"error":{}}\n\n';
    const answer = `HTTP/1.1 200 OK\r\nX-Reprise-Backend: a\r\nContent-Type: Text/Event-Stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const broken = { pieces, ending: 'RST', times: 9 } as const;
    assert.deepEqual(judgeAnswer(evidence({ told: told(answer) }), broken), []);
  });

  const head = 'HTTP/1.1 200 OK\r\nX-Reprise-Backend: a\r\n';
  const passed: [what: string, text: string, given: string][] = [
    [
      'a marker that chunks were put together to',
      `${chunked}3\r\nmk0\r\na\r\n123456789z\r\n0\r\n\r\n`,
      `${head}Content-Length: 13\r\n\r\nmk0123456789z`,
    ],
    [
      'a marker that was put together of chunks that end in none',
      `${chunked}3\r\nmk0\r\na;b=c\r\n123456789z\r\n0\rx`,
      `${head}Transfer-Encoding: chunked\r\n\r\nd\r\nmk0123456789z\r\n`,
    ],
    [
      'chunks of HTTP/1.0 that were put together',
      `${chunked.replace('1.1', '1.0')}1\r\na\r\n0\r\n\r\n`,
      `${head}Content-Length: 1\r\n\r\na`,
    ],
    [
      'an answer with empty lines between it and an interim one',
      'HTTP/1.1 103 Hints\r\n\r\n\r\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
      `HTTP/1.1 103 Hints\r\n\r\n${head}Content-Length: 1\r\n\r\na`,
    ],
  ];
  for (const [what, text, given] of passed) {
    it(`has nothing against ${what}`, () => {
      const prepared = { pieces: [text], ending: 'FIN', times: 9 } as const;
      assert.deepEqual(judgeAnswer(evidence({ told: told(given) }), prepared), []);
    });
  }
});
