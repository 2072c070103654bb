/**
 * What of a config is nobody's business but the operator's. Everything that shows or keeps a config (the headers of the
 * event log, reports) takes it through here; a new key that is secret is added here and nowhere else.
 */
import type { Config } from './schema.ts';

/** What stands in place of a secret; it is a valid value wherever one is blotted out. */
const BLOT = '***';
/** As long as a token must be. */
const TOKEN_BLOT = '*'.repeat(16);

/** @returns the config with its secrets blotted out, still valid */
export function withoutSecrets(config: Config): Config {
  const { admin, health } = config;
  return {
    ...config,
    admin: { ...admin, token: admin.token === '' ? '' : TOKEN_BLOT },
    health: { ...health, path: withoutQuery(health.path) },
  };
}

/** A server may want its key in the query of a probe; the other texts of a config cannot hold a query or credentials. */
function withoutQuery(path: string): string {
  const at = path.indexOf('?');
  return at === -1 ? path : `${path.slice(0, at)}?${BLOT}`;
}
