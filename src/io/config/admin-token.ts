/** The rule that joins the admin listener's address and its token, and how a token is kept out of what people read. */
import { isLoopback } from './hosts.ts';
import { type ConfigProblem, type Origin, preview, problem } from './problems.ts';
import type { Config } from './schema.ts';

const BLOT = '***';

/** @returns one problem if other machines reach the admin API and nothing keeps them out. */
export function missingToken(
  { admin }: Pick<Config, 'admin'>,
  origins: ReadonlyMap<string, Origin>,
): ConfigProblem[] {
  if (admin.token !== '' || isLoopback(admin.host)) return [];
  const expected =
    `is missing: admin.host is ${preview(admin.host)}, which other machines can reach; set it ` +
    '(REPRISE_ADMIN_TOKEN) to what "openssl rand -hex 24" prints, or admin.host to "127.0.0.1"';
  return [problem('admin.token', undefined, origins.get('admin.host') ?? { from: 'default' }, expected)];
}

/** @returns the config as it may be shown and recorded. */
export function withoutSecrets(config: Config): Config {
  const { admin } = config;
  return { ...config, admin: { ...admin, token: admin.token === '' ? '' : BLOT } };
}
