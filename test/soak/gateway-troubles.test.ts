/** Trouble for the gateway is over when the gateway is well again, and not before: the run goes on with questions to it. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { it } from 'node:test';
import { listenOnLoopback } from '../support/listen.ts';
import { createCalm } from './calm.ts';
import { gatewayTroubles } from './gateway-troubles.ts';
import { createHurts } from './hurts.ts';
import { DESCRIPTORS } from './judge.ts';
import { createLife } from './life.ts';
import { createTurns } from './turns.ts';

it('a gateway without descriptors counts as hurt until it answers again', async (t) => {
  const server = net.createServer((socket) => socket.on('error', () => {}));
  const port = await listenOnLoopback(server);
  t.after(() => server.close());
  let clockMs = 0;
  const hurts = createHurts(() => clockMs);
  const answers = [false, false, true];
  const isExcused: boolean[] = [];
  const life = createLife(
    () => assert.fail('it is not started'),
    () => assert.fail('nor waited for'),
  );
  const daemon = {
    ...{ url: `http://127.0.0.1:${port}`, life },
    descriptors: () => ({ sockets: 9, all: 10 }),
    async isHealthy() {
      clockMs += 10_000;
      isExcused.push(hurts.touched(DESCRIPTORS, clockMs));
      return answers.shift() ?? assert.fail('it has answered');
    },
  };
  const kinds = gatewayTroubles({
    ...{ daemon, hurts, calm: createCalm(), turns: createTurns(), disk: undefined },
    ...{ descriptorLimit: 10, mayKill: () => false },
  });
  const [, , starve] = kinds.find(([name]) => name === 'no descriptors') ?? assert.fail('it is one kind');
  const notAsked = () => assert.fail('no backend is hurt');
  await starve({ between: () => 1, victim: notAsked, done: notAsked });

  assert.deepEqual(isExcused, [true, true, true]);
  assert.equal(hurts.touched(DESCRIPTORS, clockMs + 10_000), false);
});
