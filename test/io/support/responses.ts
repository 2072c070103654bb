/** Reads HTTP responses out of received bytes, strictly, so that a test sees how each of them was framed. */
import type { RawClient } from '../../support/raw-client.ts';

export type RawResponse = {
  readonly statusLine: string;
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly headers: readonly string[];
  /** As latin1, so that a character is a byte. */
  readonly body: string;
  readonly trailers: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
};

export type ResponseReader = {
  /**
   * Resolves with the next final response, once it is whole; rejects if the connection closes before.
   *
   * @param bodiless whether the request was a HEAD
   */
  next(options?: { bodiless?: boolean }): Promise<RawResponse>;
  /** Resolves once the connection is closed, with whatever is left behind the responses read. */
  rest(): Promise<{ text: string; wasReset: boolean }>;
};

export function responsesOf(client: RawClient): ResponseReader {
  let offset = 0;
  let isClosed = false;
  client.socket.once('end', () => {
    isClosed = true;
  });
  return {
    async next({ bodiless = false } = {}) {
      let found: { response: RawResponse; end: number } | undefined;
      const look = (text: string) => {
        found = parseResponse(text, offset, bodiless, isClosed);
        return found !== undefined;
      };
      await client.until(look).catch(async (error: unknown) => {
        const { text, wasReset } = await client.closed();
        isClosed = !wasReset;
        if (!look(text)) throw error;
      });
      if (found === undefined) throw new Error('no response came');
      offset = found.end;
      return found.response;
    },
    async rest() {
      const { text, wasReset } = await client.closed();
      return { text: text.slice(offset), wasReset };
    },
  };
}

/** The values of one header, in order. */
export function valuesIn(response: { headers: readonly string[] }, name: string): string[] {
  return response.headers.filter(
    (_, index) => index % 2 === 1 && response.headers[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

function parseResponse(text: string, start: number, bodiless: boolean, isClosed: boolean) {
  let begin = start;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', begin);
    if (end === -1) return undefined;
    const [statusLine = '', ...lines] = text.slice(begin, end).split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine);
    if (match === null) throw new Error(`not a status line: ${statusLine}`);
    const status = Number(match[1]);
    begin = end + 4;
    if (status < 200) continue;
    const head = { statusLine, status, headers: fieldsOf(lines) };
    const isEmpty = bodiless || status === 204 || status === 304;
    return isEmpty ? whole(head, 'none', '', begin) : parseBody(head, text, begin, isClosed);
  }
}

type Head = Pick<RawResponse, 'statusLine' | 'status' | 'headers'>;

function whole(
  head: Head,
  framing: RawResponse['framing'],
  body: string,
  end: number,
  trailers: string[] = [],
) {
  return { response: { ...head, framing, body, trailers }, end };
}

function parseBody(head: Head, text: string, begin: number, isClosed: boolean) {
  const codings = valuesIn(head, 'transfer-encoding');
  const lengths = valuesIn(head, 'content-length');
  if (codings.length + lengths.length > 1) throw new Error(`the framing is in doubt: ${head.headers}`);
  if (codings.length === 1) return parseChunks(head, text, begin);
  if (lengths.length === 0)
    return isClosed ? whole(head, 'close', text.slice(begin), text.length) : undefined;
  const end = begin + Number(lengths[0]);
  return text.length < end ? undefined : whole(head, 'length', text.slice(begin, end), end);
}

function parseChunks(head: Head, text: string, begin: number) {
  let body = '';
  let at = begin;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!Number.isFinite(size)) throw new Error(`not a chunk size: ${text.slice(at, lineEnd)}`);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return undefined;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const lines: string[] = [];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return whole(head, 'chunked', body, at, fieldsOf(lines));
    lines.push(line);
  }
}

function fieldsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
