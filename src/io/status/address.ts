/** Where an admin listener is asked: the URL that an operator's or the configuration's words stand for. */
import { hostAndPort, reachableHost } from '../config/hosts.ts';

/** @returns the URL of a listener that was configured so, for a client on this machine */
export function addressOf(host: string, port: number): string {
  return `http://${hostAndPort(reachableHost(host), port)}`;
}

/** @returns the origin that `HOST:PORT` or an http URL names; undefined for anything else */
export function parseAddress(text: string): string | undefined {
  const isUrl = /^https?:\/\//i.test(text);
  if (!isUrl && !/^[^/?#@\s]+:\d{1,5}$/.test(text)) return undefined;
  const url = URL.parse(isUrl ? text : `http://${text}`);
  return url === null || url.hostname === '' ? undefined : url.origin;
}
