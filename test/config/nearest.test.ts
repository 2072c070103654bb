/** Guesses at what a mistyped word was meant to be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/io/config/nearest.ts';

const words = ['host', 'port', 'maxBodyBytes', 'shutdownTimeoutMs', 'paths'];

const guesses: [typed: string, meant: string | undefined][] = [
  ['prot', 'port'],
  ['prt', 'port'],
  ['hosts', 'host'],
  ['maxBodySize', undefined],
  ['maxbodybytes', 'maxBodyBytes'],
  ['shutdownTimeout', 'shutdownTimeoutMs'],
  ['path', 'paths'],
  ['tls', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
];

for (const [typed, meant] of guesses) {
  test(`"${typed.slice(0, 20)}" was meant to be ${meant ?? 'nobody knows what'}`, () => {
    assert.equal(nearest(typed, words), meant);
  });
}
