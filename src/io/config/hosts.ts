/**
 * Host names and IP addresses as an operator writes them, and the one form we keep: lower case, IPv6 without
 * brackets and compressed, as `net.connect` and `server.listen` want it.
 */

import { isIPv4, isIPv6 } from 'node:net';

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** WHATWG URLs read a name with such a last label as an IPv4 address, so it cannot be a host name. */
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i;
const MAX_NAME_LENGTH = 253;

/** @returns whether the text is a host name, an IPv4 address or an IPv6 address (brackets allowed, no zone). */
export function isHost(text: string): boolean {
  const host = withoutBrackets(text);
  if (isIPv6(host)) return !host.includes('%');
  if (host !== text) return false;
  return isIPv4(host) || isHostName(host);
}

/** @returns the host in the form we keep; a text that is no host is returned as it is. */
export function canonicalHost(text: string): string {
  if (!isHost(text)) return text;
  const host = withoutBrackets(text);
  return isIPv6(host) ? withoutBrackets(new URL(`http://[${host}]`).hostname) : host.toLowerCase();
}

/** @returns `host:port` as it stands in a URL, an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** @returns whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function withoutBrackets(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
}

function isHostName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return (
    name.length <= MAX_NAME_LENGTH &&
    !NUMERIC_END.test(name) &&
    name.split('.').every((label) => LABEL.test(label))
  );
}
