/** Why an answer failed, in words. */
import type { AnswerFault, UpstreamFailure } from '../../actors/events.ts';

/** @returns why an answer failed, such as `badResponse: its headers are too long` */
export function failureWords(reason: UpstreamFailure, fault: AnswerFault | undefined): string {
  return fault === undefined ? reason : `${reason}: ${faultWords(fault)}`;
}

export function faultWords(fault: AnswerFault): string {
  return FAULTS[fault];
}

const FAULTS: Readonly<Record<AnswerFault, string>> = {
  statusLine: 'it does not begin with a status line of HTTP/1.x',
  headerLine: 'a line among its headers or trailers is no header',
  headTooLong: 'its headers are too long',
  headCut: 'the connection was lost before its headers were whole',
  length: 'its Content-Length is no number, or too great a one, or there are several',
  lengthAndCoding: 'it has both a Content-Length and a Transfer-Encoding',
  coding: 'its Transfer-Encoding is not chunked alone',
  protocol: 'it switches to a protocol that was not asked for',
  chunkSize: 'the line with the size of a chunk is not valid',
  chunkEnd: 'a chunk does not end where its size says',
  trailersTooLong: 'its trailers are too long',
};
