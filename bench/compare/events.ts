/** The event streams that the benchmark's backend sends and its load takes in: both know what they look like. */

/** Characters of the time that stands in every chunk. */
const TIME_DIGITS = 16;
const PREFIX =
  'data: {"id":"chatcmpl-abcdefghijklmnopqrstuvwxyz","object":"chat.completion.chunk","created":1700000000,' +
  '"model":"mock","choices":[{"index":0,"delta":{"content":"t=';
const SUFFIX = ';xxxxxxxxxxxxx"},"finish_reason":null}]}';
const LENGTH = PREFIX.length + TIME_DIGITS + SUFFIX.length;
const DONE = 'data: [DONE]';
const BLANK = '\n\n';

/** @returns microseconds of a clock that all processes of this machine share */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1e3);
}

/** @returns a chunk that tells when it was sent, in the chunked coding */
export function chunkFrame(sentAtUs: number): string {
  return `${FRAME_HEAD}${String(sentAtUs).padStart(TIME_DIGITS, '0')}${FRAME_TAIL}`;
}
const FRAME_HEAD = `${(LENGTH + BLANK.length).toString(16)}\r\n${PREFIX}`;
const FRAME_TAIL = `${SUFFIX}${BLANK}\r\n`;

/** The last event and the end of the body. */
export const DONE_FRAME = `${(DONE.length + BLANK.length).toString(16)}\r\n${DONE}${BLANK}\r\n0\r\n\r\n`;

export type StreamEvents = {
  chunk(sentAtUs: number): void;
  done(): void;
  /** Something else came: the proxy lost or changed bytes. */
  wrong(event: string): void;
};

/** @returns what takes the body of an event stream in pieces of any size */
export function createEventReader(on: StreamEvents): (text: string) => void {
  let rest = '';
  return (piece) => {
    const text = rest === '' ? piece : rest + piece;
    let at = 0;
    for (;;) {
      const to = text.indexOf(BLANK, at);
      if (to === -1) break;
      const event = text.slice(at, to);
      at = to + BLANK.length;
      if (event.length === LENGTH && event.startsWith(PREFIX) && event.endsWith(SUFFIX)) {
        on.chunk(Number(event.slice(PREFIX.length, PREFIX.length + TIME_DIGITS)));
      } else if (event === DONE) on.done();
      else on.wrong(event);
    }
    rest = text.slice(at);
  };
}
