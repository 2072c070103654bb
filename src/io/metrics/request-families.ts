/** Metrics of requests and answers: how many, how they ended, how long they took. All are folded from entries. */
import type { BackendFigures, Figures } from '../../actors/figures/figures.ts';
import type { Histogram } from '../../actors/figures/histogram.ts';
import { byWord, type Distribution, type Family, type Series, single } from './family.ts';
import type { CoreSource } from './source.ts';

/** What no backend answered. No id can be this, since none may have parentheses. */
const NO_BACKEND = '(gateway)';

export const requestFamilies: readonly Family<CoreSource>[] = [
  {
    name: 'reprise_requests_total',
    help: 'Requests that ended, by the backend that answered and the class of the status; "aborted": the client left before the answer was complete, "broken": the backend broke off its answer. Backend "(gateway)": rejected, or given up in line.',
    labels: ['backend', 'status_class'],
    type: 'counter',
    read: ({ figures }) => [
      ...perBackend(figures, ({ outcomes }, backend) => byWord('status_class', outcomes, { backend })),
      ...byWord('status_class', figures.outcomes, { backend: NO_BACKEND }),
    ],
  },
  {
    name: 'reprise_requests_in_flight',
    help: 'Requests that have come and not ended, those in line included.',
    labels: [],
    type: 'gauge',
    read: ({ core }) => single(core.inFlight),
  },
  {
    name: 'reprise_request_duration_seconds',
    help: 'From the arrival of a request to the end of its answer, waiting and retries included; of whole answers only.',
    labels: ['backend'],
    type: 'histogram',
    read: ({ figures }) => distributions(figures, ({ duration }) => duration),
  },
  {
    name: 'reprise_time_to_first_byte_seconds',
    help: 'From the arrival of a request to the head of its answer, waiting and retries included.',
    labels: ['backend'],
    type: 'histogram',
    read: ({ figures }) => distributions(figures, ({ firstByte }) => firstByte),
  },
  {
    name: 'reprise_backend_time_to_first_byte_seconds',
    help: 'From the sending of a request to a backend to the head of its answer.',
    labels: ['backend'],
    type: 'histogram',
    read: ({ figures }) => distributions(figures, ({ ownFirstByte }) => ownFirstByte),
  },
  {
    name: 'reprise_chunk_interval_seconds',
    help: 'Mean time between two pieces of an answer, one observation for each whole answer of two pieces or more: the time from its head to its end by its pieces less one. Answers that were there all at once are left out.',
    labels: ['backend'],
    type: 'histogram',
    read: ({ figures }) => distributions(figures, ({ chunkInterval }) => chunkInterval),
  },
  {
    name: 'reprise_response_bytes_total',
    help: 'Bytes of the bodies of answers, whole and broken off; counted when the answer ends.',
    labels: ['backend'],
    type: 'counter',
    read: ({ figures }) => counts(figures, ({ bytes }) => bytes),
  },
  {
    name: 'reprise_response_chunks_total',
    help: 'Pieces in which the bodies of answers came; counted when the answer ends.',
    labels: ['backend'],
    type: 'counter',
    read: ({ figures }) => counts(figures, ({ chunks }) => chunks),
  },
  {
    name: 'reprise_retries_total',
    help: 'Times a request was tried again, by the reason why its backend had failed it; "stale": over a kept socket that the backend had closed already, which uses up no attempt.',
    labels: ['reason'],
    type: 'counter',
    read: ({ figures }) => byWord('reason', figures.retries),
  },
  {
    name: 'reprise_retries_withheld_total',
    help: 'Times a request was not tried again, though that was safe, because the retry budget was used up (retry.budgetShare).',
    labels: [],
    type: 'counter',
    read: ({ figures }) => single(figures.withheldRetries),
  },
  {
    name: 'reprise_rejections_total',
    help: 'Requests that the gateway itself answered with an error, by its code.',
    labels: ['code'],
    type: 'counter',
    read: ({ figures }) => byWord('code', figures.rejections),
  },
  {
    name: 'reprise_client_aborts_total',
    help: 'Requests whose client left, by where they were: in line, connecting, sent with no byte come back, answering.',
    labels: ['phase'],
    type: 'counter',
    read: ({ figures }) => byWord('phase', figures.aborts),
  },
  {
    name: 'reprise_queue_length',
    help: 'Requests in line for a socket.',
    labels: [],
    type: 'gauge',
    read: ({ core }) => single(core.queued),
  },
  {
    name: 'reprise_queue_limit',
    help: 'Requests that may be in line (pool.queue.max).',
    labels: [],
    type: 'gauge',
    read: ({ figures }) => single(figures.queueMax),
  },
  {
    name: 'reprise_queue_wait_seconds',
    help: 'Time of each stay in line, however it ended.',
    labels: [],
    type: 'histogram',
    read: ({ figures }) => [{ labels: {}, histogram: figures.queueWait }],
  },
];

type Read<Value> = (figures: BackendFigures, backend: string) => Value;

export function perBackend({ backends }: Figures, read: Read<Series[]>): Series[] {
  return [...backends].flatMap(([backend, figures]) => read(figures, backend));
}

export function counts(figures: Figures, read: Read<number>): Series[] {
  return perBackend(figures, (each, backend) => [{ labels: { backend }, value: read(each, backend) }]);
}

export function distributions({ backends }: Figures, read: Read<Histogram>): Distribution[] {
  return [...backends].map(([backend, figures]) => ({
    labels: { backend },
    histogram: read(figures, backend),
  }));
}
