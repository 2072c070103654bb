/** Heads of answers: what is one, how the end of the body is told, and whether the connection stays. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  framingOf,
  keepAliveTimeoutMs,
  keepsConnection,
  parseAnswerHead,
} from '../../../src/io/http1/answer-head.ts';
import { BadAnswer } from '../../../src/io/http1/bad-answer.ts';

const head = (fields: string, line = 'HTTP/1.1 200 OK') => parseAnswerHead(`${line}\r\n${fields}`);

describe('a head', () => {
  it('keeps order, case, repeats and bytes beyond ASCII', () => {
    assert.deepEqual(parseAnswerHead('HTTP/1.1 200 \xe2\x9c\x93\r\nX-B: 1 \t\r\nx-a:\t\xff\r\nX-B:\r\n'), {
      minorVersion: 1,
      status: 200,
      reason: '\xe2\x9c\x93',
      headers: ['X-B', '1', 'x-a', '\xff', 'X-B', ''],
    });
  });

  for (const line of ['HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.0 200 OK', 'HTTP/1.9 999 Top']) {
    it(`may begin with "${line}"`, () => assert.equal(head('', line).headers.length, 0));
  }

  for (const line of [
    ...['HTTP/2.0 200 OK', 'http/1.1 200 OK', 'HTTP/1.1  200 OK', 'HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK'],
    ...[
      'HTTP/1.1 099 Low',
      'HTTP/1.1 200OK',
      'HTTP/1.1\t200 OK',
      ' HTTP/1.1 200 OK',
      'HTTP/1.1 200 a\rb',
      '',
    ],
  ]) {
    it(`may not begin with ${JSON.stringify(line)} (RFC 9112 §4)`, () =>
      assert.throws(() => head('', line), BadAnswer));
  }

  for (const fields of [
    ...['X-A : b\r\n', 'X-A\r\n', ': b\r\n', ' X-A: b\r\n', 'X-A: b\r\n folded\r\n', 'X-A: b\nX-B: c\r\n'],
    ...['X-A: b\rX-B: c\r\n', 'X-A: b\0\r\n', 'X-A: \x7f\r\n', 'X\xe9: b\r\n', 'X-A: b\n', 'X-A: b'],
  ]) {
    it(`may not have ${JSON.stringify(fields)} (RFC 9112 §5)`, () =>
      assert.throws(() => head(fields), BadAnswer));
  }
});

it('with blanks without end is read in time that grows with them alone', () => {
  assert.throws(() => head(`X:${' '.repeat(1_000_000)}\x01\r\n`), BadAnswer);
  assert.deepEqual(head(`X:${' '.repeat(1_000_000)}\r\n`).headers, ['X', '']);
});

describe('the end of a body (RFC 9112 §6.3)', () => {
  for (const [fields, framing] of [
    ['', 'close'],
    ['Content-Length: 0\r\n', 0],
    ['content-length: 0012\r\n', 12],
    ['Transfer-Encoding: chunked\r\n', 'chunks'],
    ['transfer-encoding: Chunked\t\r\n', 'chunks'],
  ] as const) {
    it(`is told by ${JSON.stringify(fields)} as ${framing}`, () =>
      assert.equal(framingOf(head(fields), false), framing));
  }

  for (const fields of [
    'Content-Length: 1\r\nContent-Length: 1\r\n',
    'Content-Length: 1, 1\r\n',
    'Content-Length: +1\r\n',
    'Content-Length: 0x1\r\n',
    'Content-Length: 1e3\r\n',
    'Content-Length: \r\n',
    'Content-Length: 9007199254740992\r\n',
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: \xa0chunked\r\n',
    'Transfer-Encoding: identity\r\n',
  ]) {
    it(`is in doubt with ${JSON.stringify(fields)}, also where there is no body`, () => {
      assert.throws(() => framingOf(head(fields), false), BadAnswer);
      assert.throws(() => framingOf(head(fields), true), BadAnswer);
    });
  }

  it('is the end of the head in answers to HEAD, of 204 and of 304 (RFC 9112 §6.3)', () => {
    assert.equal(framingOf(head('Content-Length: 5\r\n'), true), 0);
    assert.equal(framingOf(head('Transfer-Encoding: chunked\r\n', 'HTTP/1.1 304 Same'), false), 0);
    assert.equal(framingOf(head('', 'HTTP/1.1 204 None'), false), 0);
  });
});

describe('the connection', () => {
  for (const [line, fields, isKept] of [
    ['HTTP/1.1 200 OK', '', true],
    ['HTTP/1.1 200 OK', 'Connection: Keep-Alive\r\n', true],
    ['HTTP/1.1 200 OK', 'Connection: x, Close\r\n', false],
    ['HTTP/1.1 200 OK', 'Connection: x\r\nConnection: close\r\n', false],
    ['HTTP/1.1 200 OK', 'Connection: close-ish\r\n', true],
    ['HTTP/1.0 200 OK', '', false],
    ['HTTP/1.0 200 OK', 'Connection: keep-alive\r\n', true],
    ['HTTP/1.0 200 OK', 'Connection: keep-alive, close\r\n', false],
    ['HTTP/1.0 200 OK', 'Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n', false],
  ] as const) {
    it(`is ${isKept ? '' : 'not '}kept with ${line} ${JSON.stringify(fields)} (RFC 9112 §9.3)`, () =>
      assert.equal(keepsConnection(head(fields, line), false), isKept));
  }

  for (const [value, timeoutMs] of [
    ['timeout=5', 5000],
    ['max=100, Timeout = "5"', 5000],
    ['timeout=5, max=100', 5000],
    ['timeout=x', undefined],
    ['timeout=-1', undefined],
    ['timeout=99999999999999', undefined],
    ['max=5', undefined],
  ] as const) {
    it(`is kept for ${timeoutMs} ms with Keep-Alive: ${value}`, () =>
      assert.equal(keepAliveTimeoutMs(head(`Keep-Alive: ${value}\r\n`)), timeoutMs));
  }
});
