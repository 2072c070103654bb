/** Requests as bytes, for raw clients. */

export type RequestParts = {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** Whole lines; `Host` is set unless one of them does. */
  readonly headers?: readonly string[];
  /** Sent with its length, unless a header says how it is framed. */
  readonly body?: string;
};

export function requestText({
  method,
  target = '/v1/models',
  version = '1.1',
  headers = [],
  body,
}: RequestParts = {}): string {
  const has = (name: string) => headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const lines = [`${method ?? (body === undefined ? 'GET' : 'POST')} ${target} HTTP/${version}`];
  if (!has('host')) lines.push('Host: gateway.test');
  lines.push(...headers);
  const isFramed = has('content-length') || has('transfer-encoding');
  if (body !== undefined && !isFramed) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** A chat completion, streamed unless told otherwise. */
export function chatText(fields: Readonly<Record<string, unknown>> = {}, parts: RequestParts = {}): string {
  const body = JSON.stringify({ model: 'm', stream: true, messages: [], ...fields });
  return requestText({ target: '/v1/chat/completions', ...parts, body });
}

/** One chunk of a chunked body. */
export function chunk(content: string): string {
  return `${Buffer.byteLength(content, 'latin1').toString(16)}\r\n${content}\r\n`;
}

export const LAST_CHUNK = '0\r\n\r\n';
