/** What was wrong with an answer that was refused stands in the life of its request. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventWords } from '../../src/io/explain/event-words.ts';
import { backend, coreConfig, failed, received } from '../support/core.ts';
import { lifeOf, opened, record } from './support.ts';

it('an answer that was none is told with what was wrong with it', async () => {
  const config = coreConfig({ backends: [backend('a')] });
  const log = record(config, (script) => {
    script.take(received(1), opened('a', 1), failed(1, 1, { reason: 'badResponse', fault: 'statusLine' }));
  });
  const life = await lifeOf(log, '1');
  const event = life.timeline.find(({ type }) => type === 'failed');
  assert.ok(event?.type === 'failed');
  assert.equal(event.fault, 'statusLine');
  assert.match(
    eventWords(event, life),
    /^a failed before the first byte: badResponse: it does not begin with a status line of HTTP\/1\.x, over socket 1;/,
  );
});
