/** The head of an answer, and what it says about the body that follows (RFC 9112 §4 and §6). */
import type { RawHeaders } from '../../streams/ports.ts';
import { hasContent } from '../content.ts';
import { firstValueOf, isChunkedOnly, valuesOf } from '../headers.ts';
import { BadAnswer } from './bad-answer.ts';
import { parseFieldLines } from './fields.ts';

export type ReceivedHead = {
  /** Of the version 1.x. */
  readonly minorVersion: number;
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
};

/** The reason, and the space before it, may be missing: many servers send none. */
const STATUS_LINE = /^HTTP\/1\.([0-9]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r\n/;
const VERSION = 'HTTP/1.';

/**
 * Reads a head as RFC 9112 §4 and §5 have it, and nothing else.
 *
 * @param text the head with the line break of its last line, each character for one byte
 * @throws BadAnswer
 */
export function parseAnswerHead(text: string): ReceivedHead {
  const line = STATUS_LINE.exec(text);
  if (line === null) throw new BadAnswer('statusLine');
  const [whole, minor, status, reason = ''] = line;
  return {
    minorVersion: Number(minor),
    status: Number(status),
    reason,
    headers: parseFieldLines(text, whole.length),
  };
}

/** @returns whether these bytes, which do not reach the end of a head, begin as one does: what was cut off may be no HTTP at all */
export function beginsAsHead(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  return text.includes('\n') ? STATUS_LINE.test(text) : VERSION.startsWith(text.slice(0, VERSION.length));
}

/** How the end of a body is told: there is none, by its length in bytes, by its last chunk, or by the connection's end. */
export type Framing = number | 'chunks' | 'close';

/**
 * By RFC 9112 §6.3. A length that is told twice, or together with a transfer coding, is how answers are smuggled, and refused.
 *
 * @param isHead whether it answers a HEAD
 * @throws BadAnswer where it is told in a way that others may read differently
 */
export function framingOf({ status, headers }: ReceivedHead, isHead: boolean): Framing {
  const codings = valuesOf(headers, 'transfer-encoding');
  const lengths = valuesOf(headers, 'content-length');
  if (codings.length > 0) {
    if (lengths.length > 0) throw new BadAnswer('lengthAndCoding');
    // The client would get the coded bytes for plain ones (RFC 9112 §6.1).
    if (!isChunkedOnly(codings)) throw new BadAnswer('coding');
  }
  const length = lengthOf(lengths);
  if (!hasContent(isHead, status)) return 0;
  return codings.length > 0 ? 'chunks' : (length ?? 'close');
}

function lengthOf(values: readonly string[]): number | undefined {
  const [value] = values;
  if (value === undefined) return undefined;
  const length = Number(value);
  if (values.length > 1 || !/^[0-9]+$/.test(value) || !Number.isSafeInteger(length)) {
    throw new BadAnswer('length');
  }
  return length;
}

/**
 * Whether the connection may carry another request behind this answer (RFC 9112 §9.3). Not where there must be no body: a
 * faulty backend sends one all the same, and what comes late would be taken for the answer to the next request.
 *
 * @param isHead whether it answers a HEAD
 */
export function keepsConnection({ minorVersion, status, headers }: ReceivedHead, isHead: boolean): boolean {
  if (!hasContent(isHead, status)) return false;
  const options = valuesOf(headers, 'connection').join(',').toLowerCase();
  const says = (option: string) => options.split(',').some((part) => part.trim() === option);
  if (minorVersion > 0) return options === '' || !says('close');
  // Chunks did not exist in 1.0: whoever sends them all the same may not be trusted to know where they end (§6.1).
  return says('keep-alive') && !says('close') && firstValueOf(headers, 'transfer-encoding') === undefined;
}

const KEEP_ALIVE_TIMEOUT = /(?:^|,)\s*timeout\s*=\s*"?([0-9]{1,9})"?\s*(?:,|$)/i;

/** How long the backend keeps an idle connection open, in milliseconds, if it says so (RFC 2068 §19.7.1.1). */
export function keepAliveTimeoutMs({ headers }: ReceivedHead): number | undefined {
  const value = firstValueOf(headers, 'keep-alive');
  const seconds = value === undefined ? undefined : KEEP_ALIVE_TIMEOUT.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
