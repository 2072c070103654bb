/** Asks the admin listener of a gateway for its backends. */
import type { BackendView } from '../../actors/view.ts';

/** Nothing that is a gateway answers there; the message says where, why, and what to do. */
export class NoGatewayError extends Error {
  override readonly name = 'NoGatewayError';
}

/** The gateway answers from memory; longer than this it is not well, or not there. */
const TIMEOUT_MS = 5_000;

export type AdminListener = {
  /** Its origin. */
  readonly url: string;
  /** What it wants to be sent; '' if nothing. */
  readonly token: string;
};

/**
 * @throws NoGatewayError if there is none, or the signal aborts
 */
export async function askGateway({ url, token }: AdminListener, signal: AbortSignal): Promise<BackendView[]> {
  const credentials = token === '' ? {} : { authorization: `Bearer ${token}` };
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/backends`, {
      signal: inTime,
      headers: { connection: 'close', ...credentials },
    });
    text = await response.text();
  } catch (error) {
    throw new NoGatewayError(
      `no gateway answers at ${url} (${reasonOf(error)}). Start one with "reprise serve", or say where it is with --admin HOST:PORT`,
    );
  }
  const backends = response.ok ? parse(text) : undefined;
  if (backends !== undefined) return backends;
  if (response.status === 401) {
    throw new NoGatewayError(`the gateway at ${url} wants its admin.token. Set it in REPRISE_ADMIN_TOKEN`);
  }
  throw new NoGatewayError(
    `what answers at ${url} is not the admin listener of a gateway (status ${response.status}). Say where that is with --admin HOST:PORT; it is the admin port, not the one for clients`,
  );
}

function parse(text: string): BackendView[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(isView) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isView(value: unknown): value is BackendView {
  return typeof value === 'object' && value !== null && 'id' in value && 'state' in value && 'pool' in value;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
