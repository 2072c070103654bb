/** Files of certificates that cannot be used: each is a problem of the configuration, with its reason. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { withPemFiles } from '../../src/io/config/pem-files.ts';
import { ConfigError, formatProblem } from '../../src/io/config/problems.ts';
import { createAuthority, createCertificate } from '../support/certificates.ts';
import { load, problemsOf, writeFile } from './support.ts';

function problemsIn(file: object): string[] {
  try {
    withPemFiles(load({ file }));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((each) => formatProblem(each).replaceAll(/"?[^\s"(]*\/\d+\.json"?/g, 'FILE'));
  }
}

const { cert } = createAuthority();
const cases: [what: string, content: string | undefined, problem: RegExp | undefined][] = [
  ['of one certificate', cert, undefined],
  ['of several certificates, with words between', `one\n${cert}\ntwo\n${cert}`, undefined],
  ['that is not there', undefined, /must be a file that can be read: there is no such file$/],
  ['without a certificate', 'hello', /must be a file of certificates in PEM: it holds none$/],
  [
    'with a broken certificate',
    `${cert}${cert.replace('MII', 'AAA').replace(/M/, 'A')}`,
    /number 2 cannot be read as one$/,
  ],
];

for (const [what, content, problem] of cases) {
  test(`an authority's file ${what} is ${problem === undefined ? 'taken' : 'refused, and the reason said'}`, () => {
    const problems = problemsIn({
      upstream: { tls: { caFile: content === undefined ? '/nowhere/ca.pem' : writeFile(content) } },
    });
    assert.equal(problems.length, problem === undefined ? 0 : 1, problems.join('\n'));
    if (problem === undefined) return;
    assert.match(problems[0] ?? '', problem);
    assert.match(problems[0] ?? '', /^upstream\.tls\.caFile = (?:FILE|"\/nowhere\/ca\.pem") \(file FILE\): /);
  });
}

const one = createCertificate({ names: ['one.test'] });
const two = createCertificate({ names: ['two.test'] });
const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  ...{ type: 'pkcs8', format: 'pem' },
  ...{ cipher: 'aes-256-cbc', passphrase: 'secret' },
});

const served: [
  what: string,
  cert: string | undefined,
  key: string | undefined,
  problem: RegExp | undefined,
][] = [
  ['that fit', one.cert, one.key, undefined],
  ['with the chain behind the certificate', `${one.cert}${cert}`, one.key, undefined],
  ['without the certificate', undefined, one.key, /^server\.tls\[0\]\.certFile = .*: there is no such file$/],
  ['without the key', one.cert, undefined, /^server\.tls\[0\]\.keyFile = .*: there is no such file$/],
  [
    'where the certificate is none',
    'hello',
    one.key,
    /\.certFile = .*certificate in PEM: it cannot be read as one$/,
  ],
  [
    'where the key is none',
    one.cert,
    one.cert,
    /\.keyFile = .*private key in PEM: it cannot be read as one$/,
  ],
  [
    'where the key has a passphrase',
    one.cert,
    String(locked),
    /\.keyFile = .*it must be without a passphrase$/,
  ],
  [
    'where the key is of another',
    one.cert,
    two.key,
    /\.keyFile = .*must be the key of the certificate in FILE: it is/,
  ],
];

for (const [what, certificate, key, problem] of served) {
  test(`files for clients ${what} are ${problem === undefined ? 'taken' : 'refused, and the reason said'}`, () => {
    const path = (content: string | undefined) =>
      content === undefined ? '/nowhere/x.pem' : writeFile(content);
    const tls = [{ certFile: path(certificate), keyFile: path(key) }];
    const problems = problemsIn({ server: { tls } });
    assert.equal(problems.length, problem === undefined ? 0 : 1, problems.join('\n'));
    if (problem !== undefined) assert.match(problems[0] ?? '', problem);
  });
}

test('a certificate that has expired is taken, with a warning that says when', () => {
  const notAfter = new Date(Date.now() - 1000);
  const old = createCertificate({ names: ['old.test'], notBefore: new Date(0), notAfter });
  const tls = [{ certFile: writeFile(old.cert), keyFile: writeFile(old.key) }];
  const { pem } = withPemFiles(load({ file: { server: { tls } } }));
  assert.match(pem.warnings.join(), /has expired \(\d{4}-.*\); renew it and reload$/);
});

test('nothing of a key is in the configuration that is printed and recorded', () => {
  const tls = [{ certFile: writeFile(one.cert), keyFile: writeFile(one.key) }];
  const { config, origins } = withPemFiles(load({ file: { server: { tls } } }));
  assert.doesNotMatch(JSON.stringify([config, [...origins]]), /PRIVATE KEY|BEGIN/);
});

test('what is wrong with the form of server.tls is told with its place', () => {
  const wrong = [
    { certFile: 'a' },
    { certFile: '', keyFile: 'b' },
    { certfile: 'a', certFile: 'a', keyFile: 'b' },
    'x',
  ];
  assert.deepEqual(problemsOf({ file: { server: { tls: wrong } } }), [
    'server.tls[0].keyFile (file FILE): is missing; it must be the path of a PEM file',
    'server.tls[1].certFile = "" (file FILE): must be the path of a PEM file',
    'server.tls[2].certfile = "a" (file FILE): is not a known key; did you mean "certFile"?',
    'server.tls[3] = "x" (file FILE): must be CERTFILE,KEYFILE; in a file it must be an object { "certFile", "keyFile" }',
  ]);
});

test('a variable holds several certificates, separated by semicolons', () => {
  const { server } = load({ env: { REPRISE_SERVER_TLS: 'a.pem,a.key; b.pem , b.key' } }).config;
  assert.deepEqual(server.tls, [
    { certFile: 'a.pem', keyFile: 'a.key' },
    { certFile: 'b.pem', keyFile: 'b.key' },
  ]);
});
