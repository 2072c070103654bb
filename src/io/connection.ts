/** An open connection to a backend, as the data path sees it; how HTTP/1.1 is spoken on it can be replaced. */
import type { UpstreamReceiver, UpstreamRequest } from '../streams/ports.ts';
import type { ResponseTimeouts } from './response-clock.ts';

/** An idle connection is closed this long before its backend would close it, where the backend says when (`Keep-Alive: timeout=N`). */
export const KEEP_ALIVE_MARGIN_MS = 1_000;

/** Where it can carry no further request, it destroys its socket, or tells `ended` that it is not reusable. */
export type Connection = {
  /** Sends one request and hands what comes back to `receiver`; not before the one before has ended or failed. */
  send(request: UpstreamRequest, receiver: UpstreamReceiver, timeouts: ResponseTimeouts): void;
  /** To be called when the socket has closed, with the error that it closed with; undefined if it closed in order. */
  closed(error: unknown): void;
};
