/**
 * Reads HTTP/1.1 messages of one connection, whichever way they go: just enough of the framing (RFC 9112 §6) for the
 * benchmark's own ends, and cheap, since whatever these take the proxy between them cannot have. Text is latin1, a
 * character for each byte.
 */

export type MessageEvents = {
  /** The head, from its first line to before the blank one. */
  head(text: string): void;
  /** A piece of the body, without its framing. */
  body(text: string): void;
  /** The message is whole. */
  end(): void;
};

/** What is expected next: a head, so many bytes of a body, or a part of the chunked coding. */
type State = 'head' | 'body' | 'size' | 'chunk' | 'chunkEnd' | 'trailer';

/**
 * @returns what takes the bytes as they come, in pieces of any size; throws where they are not HTTP
 */
export function createMessageReader(on: MessageEvents): (text: string) => void {
  let state: State = 'head';
  /** What came of a line or a head that is not whole yet. */
  let rest = '';
  let left = 0;
  const begin = (head: string): void => {
    on.head(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) [state, left] = ['body', Number(length)];
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) state = 'size';
    else left = 0;
    if (left === 0 && state !== 'size') end();
  };
  const end = (): void => {
    state = 'head';
    on.end();
  };
  const line = (text: string): void => {
    if (state === 'size') {
      left = Number.parseInt(text, 16);
      if (Number.isNaN(left)) throw new Error(`not the size of a chunk: ${JSON.stringify(text)}`);
      state = left === 0 ? 'trailer' : 'chunk';
    } else if (state === 'chunkEnd') state = 'size';
    else if (text === '') end();
  };
  return (piece) => {
    const text = rest === '' ? piece : rest + piece;
    rest = '';
    let at = 0;
    while (at < text.length) {
      if (state === 'body' || state === 'chunk') {
        const to = Math.min(text.length, at + left);
        left -= to - at;
        on.body(text.slice(at, to));
        at = to;
        if (left > 0) return;
        if (state === 'chunk') state = 'chunkEnd';
        else end();
        continue;
      }
      const mark = state === 'head' ? '\r\n\r\n' : '\r\n';
      const to = text.indexOf(mark, at);
      if (to === -1) {
        rest = text.slice(at);
        return;
      }
      const found = text.slice(at, to);
      at = to + mark.length;
      if (state === 'head') begin(found);
      else line(found);
    }
  };
}
