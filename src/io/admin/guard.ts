/**
 * Who may ask the admin listener. It keeps web pages of other sites out, whatever their browser can be made to send:
 * the `Origin` of another page, a `Host` whose name was rebound to this address, a form that changes something.
 */
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { type Answer, problem } from './answer.ts';
import type { TokenCheck } from './token.ts';

export type Guard = {
  /** @returns what a request that may not be answered gets, or undefined */
  refuse(request: IncomingMessage, pathname: string): Answer | undefined;
};

/** A page must send it with all that changes something; no form and no other site can. */
const OWN_HEADER = 'x-reprise-request';
/** Says nothing that is worth a token, and is what probes of an orchestrator ask. */
const OPEN_PATH = '/health';

/** @param host the configured name of the listener, which a `Host` header may carry */
export function createGuard(host: string, token: TokenCheck): Guard {
  return {
    refuse(request, pathname) {
      // A page whose name was rebound has no token to send, so that with one any name will do.
      if (!token.isWanted && !isOwnHost(request, host)) return FORBIDDEN;
      if (!isOwnPage(request)) return FORBIDDEN;
      if (pathname === OPEN_PATH) return undefined;
      if (!token.isGiven(request)) return token.refusal;
      return isChange(request) && isFromBrowser(request) && request.headers[OWN_HEADER] === undefined
        ? HEADER_MISSING
        : undefined;
    },
  };
}

const FORBIDDEN: Answer = {
  status: 403,
  body: problem(
    'forbidden',
    'The admin listener answers to its own address only, and to no web page but its own.',
  ),
};

const HEADER_MISSING: Answer = {
  status: 403,
  body: problem(
    'header_missing',
    'A page must send the header X-Reprise-Request: 1 with what changes something.',
  ),
};

function isOwnHost({ headers }: IncomingMessage, ownHost: string): boolean {
  const host = hostnameOf(headers.host ?? '');
  return host === 'localhost' || host === ownHost || net.isIP(host) !== 0;
}

/** Older browsers send no `Sec-Fetch-Site`, and `Origin` with part of their requests only. */
function isOwnPage(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  // Whoever stands in front of the listener may speak TLS.
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return false;
  const site = request.headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none' || isFollowedLink(request);
}

/** A link to the page may stand anywhere; what is opened by it is seen by its reader alone. */
function isFollowedLink({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  );
}

function isChange({ method }: IncomingMessage): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function isFromBrowser({ headers }: IncomingMessage): boolean {
  return [headers.origin, headers.cookie, headers['sec-fetch-site']].some((value) => value !== undefined);
}

function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
