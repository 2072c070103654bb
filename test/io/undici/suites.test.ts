/**
 * What is tested of the data path elsewhere, with undici towards the backends. Left out is where undici is known to differ:
 * docs/fuzzing.md, *What is judged*.
 */
import { speakToBackendsBy } from '../../support/gateway.ts';

speakToBackendsBy('undici');
await import('../abort-uploads.test.ts');
await import('../aborts.test.ts');
await import('../failures.test.ts');
await import('../https-backends.test.ts');
await import('../letting-go.test.ts');
await import('../request.test.ts');
await import('../response.test.ts');
await import('../socket-timers.test.ts');
await import('../stale-sockets.test.ts');
await import('../streaming.test.ts');
await import('../timeouts.test.ts');
await import('../tunnels.test.ts');
await import('../unasked-continue.test.ts');
