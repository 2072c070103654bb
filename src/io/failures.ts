/** Sorts the many errors of sockets, TLS and undici into the few words that the log and the core know. */
import { errors } from 'undici';
import type { UpstreamFailure } from '../actors/events.ts';

const BY_CODE: Readonly<Record<string, UpstreamFailure>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  UND_ERR_SOCKET: 'closed',
  UND_ERR_CLOSED: 'closed',
  UND_ERR_DESTROYED: 'closed',
  UND_ERR_INFO: 'closed',
  ETIMEDOUT: 'connectTimeout',
  UND_ERR_CONNECT_TIMEOUT: 'connectTimeout',
  UND_ERR_HEADERS_TIMEOUT: 'headersTimeout',
  UND_ERR_BODY_TIMEOUT: 'idleTimeout',
  UND_ERR_HEADERS_OVERFLOW: 'badResponse',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'closed',
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  ENOBUFS: 'exhausted',
  ENOMEM: 'exhausted',
  CERT_HAS_EXPIRED: 'certExpired',
  CERT_NOT_YET_VALID: 'certExpired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certWrongName',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certUntrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certUntrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certUntrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certUntrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certUntrusted',
  EPROTO: 'tls',
};

const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** @returns the word for an error that ended a connection or an exchange; `other` where none fits. */
export function classifyFailure(error: unknown): UpstreamFailure {
  const code = codeOf(error);
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_') || isParserError(error)) return 'badResponse';
  if (TLS_CODES.test(code)) return 'tls';
  return 'other';
}

/** The same for a connection that had been open: its host is out of reach now, but it was not its opening that failed. */
export function classifyLoss(error: unknown): UpstreamFailure {
  const reason = classifyFailure(error);
  return reason === 'connectTimeout' || reason === 'refused' ? 'reset' : reason;
}

/**
 * Whether the connection was lost. Where that happened in the middle of a head, the answer is a bad one: half a head is not
 * "nothing yet", and a second backend must not be asked after a first response byte.
 */
export function isLoss(reason: UpstreamFailure): boolean {
  return reason === 'closed' || reason === 'reset';
}

/** undici leaves the code out of some of its parser's errors. */
function isParserError(error: unknown): boolean {
  return error instanceof errors.HTTPParserError;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return String(error.code);
}

/** What an operator can do about a failure, where its word alone does not tell. */
export function adviceFor(reason: string): string | undefined {
  return ADVICE[reason];
}

const ADVICE: Readonly<Record<string, string>> = {
  exhausted:
    'the gateway has no file descriptor or memory left for a connection; raise its limit (ulimit -n, LimitNOFILE) to more ' +
    'than twice the requests it is to serve at a time',
  tls: 'TLS could not be agreed on; check that the backend speaks TLS 1.2 or newer on this port',
  certExpired:
    'its certificate has expired, or is not valid yet; renew it on the backend, or set the clock right',
  certWrongName:
    'its certificate is for another name; configure the backend by a name that its certificate has',
  certUntrusted:
    'its certificate is signed by nobody who is trusted here; name the PEM file of the authority (or of the ' +
    'certificate itself) in upstream.tls.caFile',
};
