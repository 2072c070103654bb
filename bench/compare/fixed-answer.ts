/** What backends answer and what is asked of them, by the sizes of short chat requests. */

const ANSWER_BYTES = 438;
const REQUEST_BYTES = 1024;

/** The body of an unstreamed answer. */
export const FIXED_ANSWER = fill(
  '{"id":"chatcmpl-abcdefghijklmnopqrstuvwxyz","object":"chat.completion","created":1700000000,"model":"mock",' +
    '"choices":[{"index":0,"message":{"role":"assistant","content":"',
  '"},"logprobs":null,"finish_reason":"stop"}],' +
    '"usage":{"prompt_tokens":210,"completion_tokens":27,"total_tokens":237}}',
  ANSWER_BYTES,
);

/** @returns a whole request with a body of a kilobyte, as an SDK sends it */
export function chatRequest(isStream: boolean): string {
  const stream = isStream ? '"stream":true,' : '';
  const body = fill(`{"model":"mock",${stream}"messages":[{"role":"user","content":"`, '"}]}', REQUEST_BYTES);
  return [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    'Authorization: Bearer sk-test',
    'User-Agent: OpenAI/Python 1.40.0',
    `Accept: ${isStream ? 'text/event-stream' : 'application/json'}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function fill(before: string, after: string, length: number): string {
  return before + 'a'.repeat(length - before.length - after.length) + after;
}
