/** Each event of a request's life in words. */
import type { Life, LifeEvent } from '../../actors/explain/life.ts';
import { errorForRejection } from '../errors.ts';
import { failureWords } from './failure-words.ts';
import { clock, counted, duration, grouped } from './format.ts';
import { cutWords, factWords, phaseWords, refusalWords, retryWords } from './words.ts';

type Event<Type extends LifeEvent['type']> = Extract<LifeEvent, { type: Type }>;

/** @returns one or two sentences without a time */
export function eventWords(event: LifeEvent, life: Life): string {
  switch (event.type) {
    case 'arrived':
      return arrivedWords(event);
    case 'picked':
      return pickedWords(event);
    case 'connecting':
      return connectingWords(event, life);
    case 'leased':
      return leasedWords(event);
    case 'queued':
      return queuedWords(event);
    case 'line':
      return lineWords(event);
    case 'socket-closed':
      return `${event.backend} closed socket ${event.socket}`;
    case 'first-byte': {
      const after = event.afterMs === null ? '' : `, ${duration(event.afterMs)} after it was sent`;
      return `first byte: status ${event.status} from ${event.backend}${after}`;
    }
    case 'discarded':
      return `${event.backend} answered with status ${event.status}, of which the client got nothing`;
    case 'passed-on':
      return `passed on to the client: ${refusalWords(event.because)}`;
    case 'failed':
      return failedWords(event);
    case 'retried':
      return retriedWords(event);
    case 'ended':
      return endedWords(event);
    case 'rejected':
      return rejectedWords(event, life);
    case 'aborted':
      return event.because === undefined
        ? `the client left ${phaseWords(event.phase)}; what the request held was given back`
        : `given up ${phaseWords(event.phase)}: ${cutWords(event.because)}`;
    case 'backend-changed':
      return event.from === null
        ? `${event.backend} came with the config: ${event.to}`
        : `${event.backend}: ${event.from} → ${event.to}: ${event.reason}`;
    case 'config-reloaded':
      return 'the config was reloaded';
    case 'gateway-stopping':
      return 'the gateway began to stop; what is in flight goes on';
    case 'interrupted':
      return interruptedWords(event);
  }
}

function arrivedWords({ bodyBytes, replayable, inFlight, waiting }: Event<'arrived'>): string {
  const body = bodyBytes < 0 ? 'a body that still streams' : `a body of ${counted(bodyBytes, 'byte')}`;
  const once = replayable ? '' : ', which can be sent only once';
  const others =
    inFlight + waiting === 0 ? 'no other request' : `${counted(inFlight, 'other request')} in flight`;
  return `arrived with ${body}${once}; ${others}${waiting === 0 ? '' : `, ${grouped(waiting)} waiting`}`;
}

function pickedWords({ backend, cause, fact, waitedMs }: Event<'picked'>): string {
  if (backend === null) return 'no backend can take it now:';
  if (cause !== 'room') return `given to ${backend}:`;
  const waited = waitedMs === null ? '' : ` after ${duration(waitedMs)} in line`;
  return `given to ${backend}${waited}, since ${factWords(fact)}:`;
}

function connectingWords({ backend, socket, lease, avoidsIdle }: Event<'connecting'>, life: Life): string {
  const arrived = life.timeline.find((event) => event.type === 'arrived');
  const why =
    arrived?.replayable === false ? 'its body can be sent only once' : 'a kept socket had been closed before';
  return `opens socket ${socket} to ${backend} (lease ${lease})${avoidsIdle ? ` and takes no idle one, since ${why}` : ''}`;
}

function leasedWords({ reused, socket, lease, connectMs, ...event }: Event<'leased'>): string {
  if (!reused) {
    return `socket ${socket} is open${connectMs === null ? '' : ` after ${duration(connectMs)}`}; the request is sent`;
  }
  const facts = [
    event.socketAgeMs === null
      ? 'opened before what the log tells'
      : `open for ${duration(event.socketAgeMs)}`,
    ...(event.idleMs === null ? [] : [`idle for ${duration(event.idleMs)}`]),
    ...(event.servedBefore === null ? [] : [`${counted(event.servedBefore, 'request')} before this one`]),
  ];
  return `sent over idle socket ${socket} (lease ${lease}): ${facts.join(', ')}`;
}

function queuedWords({ place, length, deadline, ahead }: Event<'queued'>): string {
  const more = place - 1 - ahead.length;
  const others = `${ahead.length === 1 && more === 0 ? 'request' : 'requests'} ${ahead.join(', ')}`;
  const front =
    ahead.length === 0 ? '' : `; ahead of it: ${others}${more > 0 ? ` and ${grouped(more)} more` : ''}`;
  return `waits at place ${place} of ${length}, until ${clock(deadline)} at the latest${front}`;
}

function lineWords({ what, request, backend, place }: Event<'line'>): string {
  const now = `now at place ${place}`;
  switch (what) {
    case 'served':
      return `request ${request}, which was ahead, went to ${backend}; ${now}`;
    case 'left':
      return `the client of request ${request}, which was ahead, left; ${now}`;
    case 'rejected':
      return `request ${request}, which was ahead, was rejected; ${now}`;
    case 'overtook':
      return `request ${request} came later and went ahead to ${backend}, which had failed this one`;
    case 'returned':
      return `request ${request} came earlier, lost its backend, and took its old place ahead; ${now}`;
  }
}

function failedWords({
  phase,
  backend,
  reason,
  fault,
  socket,
  reused,
  bytes,
  chunks,
  why,
}: Event<'failed'>): string {
  const cause = failureWords(reason, fault);
  const retried = why === 'stale-socket' || why === 'nothing-written' || why === 'empty-response';
  const words = retried ? '' : `; ${retryWords(why)}`;
  if (phase === 'connecting') return `${backend} could not be reached: ${cause}${words}`;
  const over = reused ? `idle socket ${socket}` : `socket ${socket}`;
  if (phase !== 'answering') return `${backend} failed before the first byte: ${cause}, over ${over}${words}`;
  return `${backend} broke off: ${cause}, after ${grouped(bytes)} bytes in ${counted(chunks, 'piece')}${words}`;
}

function retriedWords({ why, attempt, attempts }: Event<'retried'>): string {
  const count = why === 'stale-socket' ? 'uses up no attempt' : `attempt ${attempt} of ${attempts}`;
  return `sent again (${count}): ${retryWords(why)}`;
}

function endedWords({ bytes, chunks, answeringMs, socketKept }: Event<'ended'>): string {
  const during = answeringMs === null ? '' : `, ${duration(answeringMs)} after the first byte`;
  const socket = socketKept ? 'the socket was kept' : 'the socket was not kept';
  return `ended: ${counted(bytes, 'byte')} in ${counted(chunks, 'piece')}${during}; ${socket}`;
}

function rejectedWords(
  { code, backend, reason, waitedMs, queue }: Event<'rejected'>,
  { request }: Life,
): string {
  const { status } = errorForRejection(
    { request, code, ...(backend === null ? {} : { backend }), ...(reason === null ? {} : { reason }) },
    1,
  );
  const waited = waitedMs === null ? '' : ` after ${duration(waitedMs)} in line`;
  const failure = `${backend ?? 'its backend'} failed it${reason === null ? '' : ` (${reason})`}`;
  const why = {
    no_backend_configured: 'the config has no backend',
    no_healthy_backend: 'no backend was healthy',
    queue_full: `${grouped(queue.length)} were waiting already, and pool.queue.max is ${grouped(queue.max)}`,
    queue_timeout: 'it had waited as long as pool.queue.timeoutMs allows, and there was still no room',
    backend_unreachable: failure,
    backend_failed: failure,
    backend_timeout: failure,
    gateway_stopping: 'the gateway had stopped',
  }[code];
  return `rejected with ${code} (status ${status})${waited}: ${why}`;
}

function interruptedWords({ by, missing, reason, goesOn }: Event<'interrupted'>): string {
  if (by === 'run') return 'the log of this run ends here: the gateway was started anew, or had been killed';
  const what = {
    log: 'the log begins',
    gap: `${counted(missing, 'entry', 'entries')} could not be recorded${reason === null ? '' : ` (${reason})`}`,
    damage: `the log is damaged; ${counted(missing, 'entry', 'entries')} cannot be read`,
    divergence: 'replay went another way than the record, and nothing computed after it counts',
  }[by];
  return `${what}; ${goesOn ? 'behind that it is still under way' : 'how it went on is not known'}`;
}
