/** Files of certificates that cannot be used: each is a problem of the configuration, with its reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPemFiles } from '../../src/io/config/pem-files.ts';
import { ConfigError, formatProblem } from '../../src/io/config/problems.ts';
import { createAuthority } from '../support/certificates.ts';
import { load, writeFile } from './support.ts';

function problemsWith(caFile: string): string[] {
  try {
    withPemFiles(load({ file: { upstream: { tls: { caFile } } } }));
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
    const problems = problemsWith(content === undefined ? '/nowhere/ca.pem' : writeFile(content));
    assert.equal(problems.length, problem === undefined ? 0 : 1, problems.join('\n'));
    if (problem === undefined) return;
    assert.match(problems[0] ?? '', problem);
    assert.match(problems[0] ?? '', /^upstream\.tls\.caFile = (?:FILE|"\/nowhere\/ca\.pem") \(file FILE\): /);
  });
}
