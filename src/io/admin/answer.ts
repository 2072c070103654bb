/** Answers of the admin listener: a status and JSON, never kept by anybody and never shown as anything else. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

export type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: OutgoingHttpHeaders;
};

/** Of everything that is sent. */
export const SAFE_HEADERS: OutgoingHttpHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** What is no page needs nothing, and may stand in no frame. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function problem(code: string, message: string): object {
  return { error: { code, message } };
}

export function sendJson(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  sendText(response, status, `${JSON.stringify(body)}\n`, headers);
}

/** @param text JSON as it is to go out */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'Content-Security-Policy': NO_PAGE,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
