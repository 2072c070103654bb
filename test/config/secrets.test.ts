/** What is secret in a config stays out of the event log and of reports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormatSpec } from '../../src/io/config/formats.ts';
import { schema } from '../../src/io/config/schema.ts';
import { withoutSecrets } from '../../src/io/config/secrets.ts';
import { leavesOf } from '../../src/io/config/tree.ts';
import { planConfig } from '../../src/io/whatif/config.ts';
import { coreConfig } from '../support/core.ts';
import { load } from './support.ts';

/** Formats whose values are no secret, or, as a backend's URL, are refused with one in them. */
const HARMLESS: readonly FormatSpec['format'][] = [
  'wholeNumber',
  'decimal',
  'certificates',
  'optionalFile',
  'trueOrFalse',
  'host',
  'folder',
  'choice',
  'choices',
  'pathPatterns',
  'backends',
];

/** A secret as each of the other formats may hold one. */
const SECRETS: Partial<Record<FormatSpec['format'], string>> = {
  requestPath: '/path?key=SECRET',
  secret: 'SECRET-0123456789abcdef',
};

test('every key is harmless or blotted out, and the blotted config is still valid', () => {
  for (const [key, { format }] of leavesOf(schema(false))) {
    if (HARMLESS.includes(format)) continue;
    const secret = SECRETS[format];
    assert.ok(secret !== undefined, `${key}: say in src/io/config/secrets.ts what of it is secret`);
    const [section = '', name = ''] = key.split('.');
    const { config } = load({ file: { [section]: { [name]: secret } } });
    const blotted = withoutSecrets(config);
    assert.doesNotMatch(JSON.stringify(blotted), /SECRET/, key);
    assert.deepEqual(load({ file: JSON.parse(JSON.stringify(blotted)) }).config, blotted);
  }
});

test('a config without secrets is as it was', () => {
  const { config } = load({ file: { health: { path: '/v1/models' } } });
  assert.deepEqual(withoutSecrets(config), config);
});

test('a what-if does not take the blot in the record for a change, and does not show what is behind it', () => {
  const { config } = load({ file: { health: { path: '/health?key=SECRET' } } });
  const recorded = { whole: withoutSecrets(config), core: coreConfig() };
  const plan = planConfig({ set: ['health.path=/health?key=SECRET', 'health.fall=5'] });
  assert.deepEqual(
    plan.changedKeys(recorded).map(({ key }) => key),
    ['health.fall'],
  );
  const other = planConfig({ set: ['health.path=/other?key=SECRET'] }).changedKeys(recorded);
  assert.deepEqual(other, [{ key: 'health.path', before: '/health?***', after: '/other?***' }]);
});
