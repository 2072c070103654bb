/** Nights at the gateway, scripted: what the golden outputs and the tests of the command tell of. */
import type { CoreConfig } from '../../src/actors/events.ts';
import {
  backend,
  coreConfig,
  ended,
  failed,
  probeFailed,
  probeSucceeded,
  received,
  started,
} from '../support/core.ts';
import { opened, record } from './support.ts';

const FLEET: CoreConfig = coreConfig({
  backends: [backend('gpu-1:8000', 5), backend('gpu-2:8000', 3), backend('gpu-3:8000')],
  pool: { size: 2 },
  queue: { max: 3, timeoutMs: 5000 },
});

/**
 * One backend has fallen out. Request 3 meets a stale socket at the second and finds the third full, so it waits, is
 * overtaken, and is answered; 13 finds the queue full.
 */
export function busyNight(): string {
  return record(FLEET, (script) => {
    script.wait(1000).take(probeSucceeded('gpu-1:8000'), probeFailed('gpu-3:8000'));
    script.wait(1000).take(probeFailed('gpu-3:8000'));
    script.wait(1000).take(probeFailed('gpu-3:8000'));
    script.wait(500).take(received(1));
    script.wait(2).take(opened('gpu-1:8000', 1));
    script.wait(300).take(started(1, 1));
    script.wait(700).take(ended(1, 1));
    script.wait(4200).take(received(2), opened('gpu-2:8000', 2), started(2, 2), received(3));
    script.take(received(4), received(5));
    script.wait(3).take(opened('gpu-1:8000', 3), opened('gpu-2:8000', 4), received(6));
    script.wait(16).take(failed(3, 3));
    script.wait(45).take(ended(2, 2));
    script.wait(4).take(opened('gpu-2:8000', 6), started(3, 7));
    script.wait(96).take(ended(3, 7), received(7), received(8), received(9), received(10), received(11));
    script.wait(10).take(received(12));
    script.wait(1000).take(probeFailed('gpu-2:8000'));
  });
}

/** A backend is drained, restored, given another weight, and outlives a restart of the gateway. */
export function longNight(): string {
  const config = coreConfig({ backends: [backend('gpu-1:8000', 5)] });
  const lighter = coreConfig({ backends: [backend('gpu-1:8000', 2)], health: { fall: 2 } });
  return record(config, (script) => {
    for (let probe = 0; probe < 60; probe += 1) script.wait(5000).take(probeSucceeded('gpu-1:8000'));
    script.wait(5000).take(probeFailed('gpu-1:8000'), received(1));
    script.take(opened('gpu-1:8000', 1), started(1, 1));
    script.wait(9000).take({ type: 'operator.drained', backend: 'gpu-1:8000' });
    script.wait(4000).take(ended(1, 1));
    script.wait(60_000).take({ type: 'operator.restored', backend: 'gpu-1:8000' }, received(2));
    script.take({ type: 'socket.failed', backend: 'gpu-1:8000', socket: 2, reason: 'refused' });
    script.wait(1000).take({ type: 'config.reloaded', config: lighter });
    script.wait(5000).take(probeFailed('gpu-1:8000'), probeFailed('gpu-1:8000'));
    script.wait(5000).take(probeSucceeded('gpu-1:8000'), probeFailed('gpu-1:8000'));
    script.wait(3_600_000).restart(lighter);
    script.wait(5000).take(probeSucceeded('gpu-1:8000'));
  });
}
