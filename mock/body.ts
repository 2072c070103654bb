/**
 * Reading a request body: kept up to a limit, counted beyond it.
 */
import type { IncomingMessage } from 'node:http';

export type RequestBody = { readonly bytes: number; readonly content: Buffer; readonly tooLarge: boolean };

/** The most of a body that is kept; what comes after it is read and counted. */
const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

const EMPTY: RequestBody = { bytes: 0, content: Buffer.alloc(0), tooLarge: false };

/** Reads the body to its end; null when the peer left before. */
export function readBody(request: IncomingMessage): RequestBody | Promise<RequestBody | null> {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return EMPTY;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) chunks.push(chunk);
    });
    request.once('end', () => {
      const [first] = chunks;
      const content = chunks.length === 1 && first ? first : Buffer.concat(chunks);
      resolve({ bytes, content, tooLarge: bytes > BODY_LIMIT_BYTES });
    });
    request.once('close', () => resolve(null));
  });
}
