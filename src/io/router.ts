/** Which requests go to a backend and which are the gateway's own, by the path alone. */

export type Route = 'proxy' | 'health' | 'index' | 'metrics' | 'none';

/**
 * @param target path and query in origin form
 * @param proxied paths that go to a backend: exact ones, or prefixes that end in `/*`
 */
export function routeOf(target: string, proxied: readonly string[]): Route {
  const path = pathOf(target);
  for (const pattern of proxied) if (matches(path, pattern)) return 'proxy';
  if (path === '/health') return 'health';
  if (path === '/metrics') return 'metrics';
  return path === '/' ? 'index' : 'none';
}

/** A target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

function matches(path: string, pattern: string): boolean {
  return pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** Host and port of a target in absolute form; undefined in any other form. */
export function authorityOf(target: string): string | undefined {
  return target.startsWith('/') ? undefined : ABSOLUTE.exec(target)?.[1] || undefined;
}

/**
 * The origin form of a request target: a client that takes us for a forward proxy sends the whole URL, which
 * a server must accept (RFC 9112 §3.2.2).
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const match = ABSOLUTE.exec(target);
  if (match === null) return target;
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
