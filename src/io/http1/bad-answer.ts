/** What the reader throws for bytes that are no answer. */
import type { AnswerFault } from '../../actors/events.ts';

/** What a backend sent is no answer in HTTP/1.1, or none that can be passed on: a `badResponse`. */
export class BadAnswer extends Error {
  readonly fault: AnswerFault;

  constructor(fault: AnswerFault) {
    super(fault);
    this.fault = fault;
  }
}
