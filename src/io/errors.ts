/**
 * The errors the gateway answers in its own name, in the shape of OpenAI's API so that clients raise what they
 * would raise for the real thing. The `code` is stable; the message says what happened and what to do.
 */
import type { RejectionCode, UpstreamFailure } from '../actors/events.ts';
import type { Rejection } from '../streams/ports.ts';
import { adviceFor } from './failures.ts';

export type GatewayErrorCode =
  | RejectionCode
  | 'bad_request'
  | 'not_found'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'headers_too_large'
  | 'request_timeout'
  | 'body_timeout'
  | 'backend_connect_timeout'
  | 'backend_headers_timeout'
  | 'backend_idle_timeout'
  | 'expectation_failed'
  | 'unsupported_transfer_coding'
  | 'backend_broke_off'
  | 'too_many_connections';

export type GatewayError = {
  readonly status: number;
  readonly code: GatewayErrorCode;
  readonly message: string;
  readonly retryAfterS?: number;
  /** Set where the end of the request is in doubt, so that what follows on the connection cannot be trusted. */
  readonly closes?: boolean;
};

/** Seconds a client is asked to wait where the gateway is only busy. */
const BUSY_RETRY_AFTER_S = 1;

/**
 * What the client is told about a rejection by the core.
 *
 * @param probeIntervalMs how often backends are probed, which is when things may look up again
 */
export function errorForRejection(
  { code, backend, reason }: Rejection,
  probeIntervalMs: number,
): GatewayError {
  const probedAgainS = Math.max(1, Math.ceil(probeIntervalMs / 1000));
  const which = backend === undefined ? 'The backend' : `Backend ${backend}`;
  const advice = adviceFor(reason ?? '');
  const how = reason === undefined ? '' : ` (${reason}${advice === undefined ? '' : `: ${advice}`})`;
  switch (code) {
    case 'no_backend_configured':
      return {
        status: 503,
        code,
        message: 'No backend is configured. Add one to the gateway and reload it.',
        retryAfterS: probedAgainS,
      };
    case 'no_healthy_backend':
      return {
        status: 503,
        code,
        message: 'No backend is healthy at the moment. Try again later.',
        retryAfterS: probedAgainS,
      };
    case 'queue_full':
      return {
        status: 503,
        code,
        message: 'All backends are busy and the queue is full. Try again later.',
        retryAfterS: BUSY_RETRY_AFTER_S,
      };
    case 'queue_timeout':
      return {
        status: 503,
        code,
        message: 'All backends were busy for as long as a request may wait. Try again later.',
        retryAfterS: BUSY_RETRY_AFTER_S,
      };
    case 'gateway_stopping':
      return {
        status: 503,
        code,
        message: 'The gateway is shutting down. Try again.',
        retryAfterS: BUSY_RETRY_AFTER_S,
      };
    case 'backend_unreachable':
      return {
        status: 502,
        code,
        message: `${which} could not be reached${how}, and the request was not passed to another.`,
      };
    case 'backend_failed':
      return {
        status: 502,
        code,
        message: `${which} failed before it answered${how}, and the request was not passed to another.`,
      };
    case 'backend_timeout':
      return timeoutOf(which, reason);
  }
}

/** The core knows one code for all that took too long; a client is told which of them it was, and what bounds it. */
function timeoutOf(which: string, reason: UpstreamFailure | undefined): GatewayError {
  switch (reason) {
    case 'connectTimeout':
      return {
        status: 504,
        code: 'backend_connect_timeout',
        message: `${which} took no connection in time (upstream.connectTimeoutMs).`,
      };
    case 'headersTimeout':
      return {
        status: 504,
        code: 'backend_headers_timeout',
        message: `${which} did not begin its answer in time (upstream.headersTimeoutMs).`,
      };
    default:
      return { status: 504, code: 'backend_timeout', message: `${which} did not answer in time.` };
  }
}

export function badRequest(message: string): GatewayError {
  return { status: 400, code: 'bad_request', message };
}

/** A request whose framing is faulty; its connection cannot be used any more (RFC 9112 §6.1). */
export function badFraming(message: string): GatewayError {
  return { ...badRequest(message), closes: true };
}

export function unsupportedCoding(codings: string): GatewayError {
  return {
    status: 501,
    code: 'unsupported_transfer_coding',
    message: `The body comes in the transfer coding "${codings}"; only "chunked" is understood.`,
    closes: true,
  };
}

export function expectationFailed(expectation: string): GatewayError {
  return {
    status: 417,
    code: 'expectation_failed',
    message: `"Expect: ${expectation}" cannot be met; only "100-continue" can.`,
  };
}

export function noTunnels(): GatewayError {
  return {
    status: 405,
    code: 'method_not_allowed',
    message: 'CONNECT is refused: this is a reverse proxy and opens no tunnels.',
  };
}

/** @param limit the one that was reached: of all connections, or of those from one address */
export function tooManyConnections(limit: 'all' | 'address'): GatewayError {
  const code = 'too_many_connections';
  return limit === 'all'
    ? {
        status: 503,
        code,
        message: 'There are as many connections as allowed (server.maxConnections). Try again later.',
      }
    : {
        status: 429,
        code,
        message:
          'There are as many connections from your address as allowed (server.maxConnectionsPerAddress). Close some, or try again later.',
      };
}

export function notFound(path: string): GatewayError {
  return {
    status: 404,
    code: 'not_found',
    message: `Nothing is served at ${path}. Paths that go to a backend are listed in server.paths.`,
  };
}

export function bodyTooLarge(maxBodyBytes: number): GatewayError {
  return {
    status: 413,
    code: 'body_too_large',
    message: `The body is longer than the ${maxBodyBytes} bytes allowed (server.maxBodyBytes).`,
  };
}

export function bodyTimeout(): GatewayError {
  return {
    status: 408,
    code: 'body_timeout',
    message: 'The body of the request stood still for too long (server.bodyIdleTimeoutMs).',
  };
}

/** What ends a stream that its backend broke off; the client has its status line already. */
export function brokenOff(backend: string, reason: UpstreamFailure): GatewayError {
  if (reason === 'idleTimeout') {
    return {
      status: 504,
      code: 'backend_idle_timeout',
      message: `Backend ${backend} fell silent in its answer (upstream.idleTimeoutMs); what came so far is not complete.`,
    };
  }
  return {
    status: 502,
    code: 'backend_broke_off',
    message: `Backend ${backend} broke off its answer (${reason}); what came so far is not complete.`,
  };
}

/** The JSON body, in OpenAI's shape. */
export function errorBody({ status, code, message }: GatewayError): string {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return JSON.stringify({ error: { message, type, code, param: null } });
}
