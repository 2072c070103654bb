/** What the reader of answers makes of bytes, as one value that can be compared. */
import { AnswerReader } from '../../../src/io/http1/answer-reader.ts';
import { BadAnswer } from '../../../src/io/http1/bad-answer.ts';

export type Heard = {
  interim: number[];
  status: number;
  headers: readonly string[];
  body: string;
  trailers: readonly string[];
  end: 'none' | 'ended' | 'ended, and more came' | 'switched' | 'bad';
  /** What came behind a 101. */
  rest: string;
};

/** @param pieces as they come, each character for one byte; each is given in a buffer that is overwritten afterwards */
export function read(
  pieces: readonly string[],
  { isHead = false, mayUpgrade = false, isClosed = false } = {},
): Heard {
  const heard: Heard = { interim: [], status: 0, headers: [], body: '', trailers: [], end: 'none', rest: '' };
  const reader = new AnswerReader(
    { isHead, mayUpgrade },
    {
      interim: ({ status }) => heard.interim.push(status),
      switched: ({ status }, rest) =>
        Object.assign(heard, { status, rest: rest.toString('latin1'), end: 'switched' }),
      started: ({ status, headers }) => Object.assign(heard, { status, headers }),
      data(content) {
        heard.body += content.toString('latin1');
      },
      end: (trailers, isSurplus) =>
        Object.assign(heard, { trailers, end: isSurplus ? 'ended, and more came' : 'ended' }),
    },
  );
  try {
    for (const piece of pieces) {
      const borrowed = Buffer.from(piece, 'latin1');
      reader.read(borrowed);
      borrowed.fill('#');
      if (heard.end !== 'none') break;
    }
    if (isClosed && heard.end === 'none') reader.close();
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error;
    heard.end = 'bad';
  }
  return heard;
}
