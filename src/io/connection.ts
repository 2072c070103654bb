/** An open connection to a backend, as the data path sees it; how HTTP/1.1 is spoken on it can be replaced. */
import type { UpstreamReceiver, UpstreamRequest } from '../streams/ports.ts';
import type { ResponseTimeouts } from './response-clock.ts';

/** Carries one request at a time. Destroys its socket once it can carry no further one. */
export type Connection = {
  send(request: UpstreamRequest, receiver: UpstreamReceiver, timeouts: ResponseTimeouts): void;
  /** To be called when the socket has closed, with the error that it closed with. */
  closed(error: unknown): void;
};
