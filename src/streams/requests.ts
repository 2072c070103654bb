/**
 * The desk where requests are taken in: gives each its number, keeps its exchange as long as it is under way,
 * and turns what happens to it into facts. Once it is closed a client that leaves is no news any more.
 */
import { type Observable, Subject } from 'rxjs';
import type { AnswerFault, ClientCut, Fact, UpstreamFailure } from '../actors/events.ts';
import type { Exchange } from './ports.ts';

export type Arrival = {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly replayable: boolean;
};

export type RequestDesk = {
  readonly facts$: Observable<Fact>;
  /** @returns the number of the request; by then its exchange may have been told where to go already */
  receive(arrival: Arrival, exchange: Exchange): number;
  started(request: number, lease: number, head: AnswerHead): void;
  ended(request: number, lease: number, end: AnswerEnd): void;
  failed(request: number, lease: number, failure: AnswerFailure): void;
  /** @param because set where it is the gateway that gives the request up */
  aborted(request: number, because?: ClientCut): void;
  /** Forgets a request that has been answered, so that late events of it are dropped. */
  close(request: number): void;
  exchangeOf(request: number): Exchange | undefined;
};

export type AnswerHead = {
  readonly status: number;
  /** Set if the client has nothing of it yet, and the core is to say whether it gets it. */
  readonly held?: true;
  readonly retryAfterMs?: number;
};

/** Figures per chunk are summed up beside the socket and travel once, with the fact that ends the response. */
export type Totals = { readonly bytes: number; readonly chunks: number };

export type AnswerFailure = Totals & {
  readonly reason: UpstreamFailure;
  readonly written: boolean;
  readonly fault?: AnswerFault | undefined;
};

export type AnswerEnd = Totals & {
  readonly status: number;
  /** Whether the socket may serve another request. */
  readonly reusable: boolean;
  /** Where it has not been told with the head. */
  readonly retryAfterMs?: number | undefined;
};

/**
 * Where an exchange is kept, and emptied when it leaves. A `Map` that many come to and leave makes a new table of itself
 * over and over, and each old table, once it has grown old itself, keeps alive whatever stood in it until the next full
 * garbage collection. That was all that belonged to more than half of the requests.
 */
type Place = { exchange: Exchange | undefined };

export function createRequestDesk(): RequestDesk {
  const facts$ = new Subject<Fact>();
  const places = new Map<number, Place>();
  const leave = (request: number): boolean => {
    const place = places.get(request);
    if (place !== undefined) place.exchange = undefined;
    return places.delete(request);
  };
  let last = 0;
  return {
    facts$,
    receive(arrival, exchange) {
      last += 1;
      const request = last;
      places.set(request, { exchange });
      const { requestId, method, path, bodyBytes, replayable } = arrival;
      facts$.next({ type: 'request.received', request, requestId, method, path, bodyBytes, replayable });
      return request;
    },
    started(request, lease, head) {
      facts$.next({ type: 'response.started', request, lease, ...head });
    },
    ended(request, lease, { status, bytes, chunks, reusable, retryAfterMs }) {
      const type = 'response.ended';
      const fact: Fact = { type, request, lease, status, bytes, chunks, reusable };
      facts$.next(retryAfterMs === undefined ? fact : { ...fact, retryAfterMs });
    },
    failed(request, lease, { reason, fault, written, bytes, chunks }) {
      const type = 'response.failed';
      const totals = { written, bytes, chunks };
      const known = fault === undefined ? {} : { fault };
      facts$.next({ type, request, lease, reason, ...known, ...totals });
    },
    aborted(request, because) {
      if (!leave(request)) return;
      facts$.next({ type: 'client.aborted', request, ...(because === undefined ? {} : { because }) });
    },
    close(request) {
      leave(request);
    },
    exchangeOf: (request) => places.get(request)?.exchange,
  };
}
