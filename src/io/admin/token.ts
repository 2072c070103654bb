/**
 * The token of the admin listener, for where others can reach it. Programs send it as `Authorization: Bearer`; a browser
 * brings it once in the address of the page, and gets a cookie for it that no script and no other site can use.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Answer, problem } from './answer.ts';

export type TokenCheck = {
  readonly isWanted: boolean;
  /** Whether the request carries the token, or the cookie that stands for it; true if none is wanted. */
  isGiven(request: IncomingMessage): boolean;
  /** @returns the cookie for who brings the token in an address; undefined if it is not the right one */
  cookieFor(offered: string): string | undefined;
  readonly refusal: Answer;
};

/** @param token '' if none is wanted */
export function createTokenCheck(token: string): TokenCheck {
  // Other than the token itself, so that it cannot be read out of a browser.
  const stamp = createHmac('sha256', token).update('reprise admin cookie').digest('hex');
  // Cookies know no ports, and two gateways of one machine have two tokens.
  const name = `reprise-${createHmac('sha256', token).update('name').digest('hex').slice(0, 8)}`;
  return {
    isWanted: token !== '',
    isGiven({ headers }) {
      if (token === '') return true;
      const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
      if (bearer !== undefined) return isSame(bearer, token);
      const cookie = cookieOf(headers.cookie ?? '', name);
      return cookie !== undefined && isSame(cookie, stamp);
    },
    cookieFor(offered) {
      if (token === '' || !isSame(offered, token)) return undefined;
      return `${name}=${stamp}; Path=/; HttpOnly; SameSite=Strict`;
    },
    refusal: {
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer realm="reprise admin"' },
      body: problem(
        'token_missing',
        'Send admin.token as "Authorization: Bearer TOKEN"; in a browser, open /inspector?token=TOKEN once.',
      ),
    },
  };
}

/** Takes the same time wherever the two differ, and whatever their lengths. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

function cookieOf(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}
