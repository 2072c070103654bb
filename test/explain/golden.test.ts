/** Three whole outputs, letter for letter: how they read is what they are for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCommand } from './command.ts';
import { busyNight, longNight } from './scenes.ts';

const REQUEST = `
Request 3 of run 1, X-Request-ID id-3
POST /v1/chat/completions, arrived 2026-11-23 03:12:08.702 (UTC)
Answered by gpu-2:8000 with status 200 after 164 ms, having failed at gpu-1:8000.

03:12:08.702       +0 ms  arrived with a body of 10 bytes; 1 other request in flight
03:12:08.702       +0 ms  given to gpu-1:8000:
    BACKEND     WEIGHT  CURRENT  LEASED  IDLE  WHY
  → gpu-1:8000       5   2 → -1     0/2     1  2 + 5 = 7 is the highest
    gpu-2:8000       3   -2 → 1     1/2     0  its turn comes later: -2 + 3 < 2 + 5
    gpu-3:8000       1        0     0/2     0  unhealthy since 03:12:03: 3 of 3 probes failed, the
                                               last with: refused
03:12:08.702       +0 ms  sent over idle socket 1 (lease 3): open for 5.2 s, idle for 4.2 s, 1
                          request before this one
03:12:08.721      +19 ms  gpu-1:8000 failed before the first byte: reset, over idle socket 1
03:12:08.721      +19 ms  sent again (uses up no attempt): safe, since the backend had closed the
                          kept socket before it saw the request
03:12:08.721      +19 ms  no backend can take it now:
    BACKEND     WEIGHT  CURRENT  LEASED  IDLE  WHY
    gpu-1:8000       5       -4     1/2     0  it failed this request before
    gpu-2:8000       3        4     2/2     0  its pool is full (2 of 2)
    gpu-3:8000       1        0     0/2     0  unhealthy since 03:12:03: 3 of 3 probes failed, the
                                               last with: refused
03:12:08.721      +19 ms  waits at place 1 of 2, until 03:12:13.721 at the latest
03:12:08.721      +19 ms  request 6 came later and went ahead to gpu-1:8000, which had failed this
                          one
03:12:08.766      +64 ms  given to gpu-2:8000 after 45 ms in line, since request 2 ended (10 bytes):
    BACKEND     WEIGHT  CURRENT  LEASED  IDLE  WHY
    gpu-1:8000       5       -4     2/2     0  it failed this request before
  → gpu-2:8000       3        4     1/2     1  the only one that can take it
    gpu-3:8000       1        0     0/2     0  unhealthy since 03:12:03: 3 of 3 probes failed, the
                                               last with: refused
03:12:08.766      +64 ms  opens socket 6 to gpu-2:8000 (lease 7) and takes no idle one, since a kept
                          socket had been closed before
03:12:08.770      +68 ms  socket 6 is open after 4 ms; the request is sent
03:12:08.770      +68 ms  first byte: status 200 from gpu-2:8000, 0 ms after it was sent
03:12:08.866     +164 ms  ended: 10 bytes in 1 piece, 96 ms after the first byte; the socket was
                          kept
`;

const BACKEND = `
Backend gpu-1:8000
healthy for 5 min 25 s, unhealthy for 5 s, draining for 4 s, drained for 1 min, fell out once; 1
request sent, 1 failure.

Run 1, from its start 2026-11-23 03:12:00.000, at http://127.0.0.1:8000, weight 2
2026-11-23 (UTC)
03:12:00.000  healthy: configured; for 5 min 14 s
    probes    60 succeeded, 1 failed
              03:17:05.000  1 failed: refused; slowest 1 ms
    requests  1 sent; none ended; at most 1 at once
    sockets   1 opened
03:17:14.000  healthy → draining: drained by an operator; for 4 s
03:17:18.000  draining → drained: no lease left; for 1 min
    requests  0 sent; 1 ended
    sockets   1 closed (draining)
03:18:18.000  drained → healthy: restored by an operator; for 6 s
    probes    0 succeeded, 1 failed
              03:18:24.000  1 failed: refused; slowest 1 ms
    requests  0 sent; 1 never connected (failures: refused 1); at most 1 at once
    03:18:19.000  reload: weight 5 → 2, health.fall 3 → 2
03:18:24.000  healthy → unhealthy: 2 of 2 probes failed, the last with: refused; for 5 s so far
    probes    1 succeeded, 2 failed
              03:18:29.000  1 succeeded: status 200; slowest 1 ms

Run 2, from its start 2026-11-23 04:18:29.000, at http://127.0.0.1:8000, weight 2
2026-11-23 (UTC)
04:18:29.000  healthy: configured; for 5 s so far
    probes    1 succeeded, 0 failed
`;

const MOMENT = `
The state at 2026-11-23 03:12:09.876 (UTC)
After entry 30. The gateway was running.
Run 1, from its start 2026-11-23 03:12:00.000.

    BACKEND     WEIGHT  CURRENT  LEASED  IDLE  SENT  FAILED  STATE
    gpu-1:8000       5       -4     2/2     0     4       0  healthy since 03:12:00
    gpu-2:8000       3        4     2/2     0     4       0  healthy since 03:12:00; 1 of 3 probes
                                                             have failed, the last with: refused
    gpu-3:8000       1        0     0/2     0     0       0  unhealthy since 03:12:03: 3 of 3 probes
                                                             failed, the last with: refused

3 of at most 3 wait:
    PLACE  REQUEST  WAITS FOR     AGE  X-REQUEST-ID  PATH
        1        8     1.01 s  1.01 s  id-8          /v1/chat/completions
        2        9     1.01 s  1.01 s  id-9          /v1/chat/completions
        3       10     1.01 s  1.01 s  id-10         /v1/chat/completions
4 in flight, the oldest first:
    REQUEST     AGE  BACKEND     STATE        X-REQUEST-ID  PATH
          4  1.17 s  gpu-1:8000  no byte yet  id-4          /v1/chat/completions
          5  1.17 s  gpu-2:8000  no byte yet  id-5          /v1/chat/completions
          6  1.17 s  gpu-1:8000  connecting   id-6          /v1/chat/completions
          7  1.01 s  gpu-2:8000  no byte yet  id-7          /v1/chat/completions

The last changes before:
    03:12:00.000  the gateway started
    03:12:00.000  gpu-1:8000 came with the config: healthy
    03:12:00.000  gpu-2:8000 came with the config: healthy
    03:12:00.000  gpu-3:8000 came with the config: healthy
    03:12:03.000  gpu-3:8000: healthy → unhealthy: 3 of 3 probes failed, the last with: refused

The last entries before:
    03:12:08.770  -1,106 ms  socket 6 to gpu-2:8000 opened; request 3 sent over it
    03:12:08.770  -1,106 ms  request 3 got its first byte (status 200)
    03:12:08.866  -1,010 ms  request 3 ended (10 bytes)
    03:12:08.866  -1,010 ms  request 7 arrived: POST /v1/chat/completions; to gpu-2:8000; over idle
                             socket 6
    03:12:08.866  -1,010 ms  request 8 arrived: POST /v1/chat/completions; waits (1 in line)
    03:12:08.866  -1,010 ms  request 9 arrived: POST /v1/chat/completions; waits (2 in line)
    03:12:08.866  -1,010 ms  request 10 arrived: POST /v1/chat/completions; waits (3 in line)
    03:12:08.866  -1,010 ms  request 11 arrived: POST /v1/chat/completions; rejected: queue_full
    03:12:08.876  -1,000 ms  request 12 arrived: POST /v1/chat/completions; rejected: queue_full
    03:12:09.876             a probe of gpu-2:8000 failed (refused, 1 ms)
`;

describe('explain prints', () => {
  it('the life of a request that met a stale socket, waited, was overtaken, and was answered', async () => {
    const outcome = await runCommand(busyNight(), 'id-3');
    assert.equal(`\n${outcome.stdout}`, REQUEST);
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
  });

  it('the life of a backend that was drained, restored, reloaded, and fell out', async () => {
    assert.equal(`\n${(await runCommand(longNight(), '--backend', 'gpu-1:8000')).stdout}`, BACKEND);
  });

  it('the state at a moment of a night in which everything was busy', async () => {
    assert.equal(`\n${(await runCommand(busyNight(), '--at', '03:12:09.876')).stdout}`, MOMENT);
  });
});
