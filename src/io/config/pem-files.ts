/**
 * The files of keys and certificates that a configuration names: read and judged with it, so that one that is missing
 * or broken is a mistake of the configuration like any other, and never a failure under traffic. What is in them stays out of
 * the configuration itself, which is printed and recorded.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { reasonOf } from './file.ts';
import { type LoadedConfig, type LoadInput, loadConfig } from './load.ts';
import { ConfigError, type ConfigProblem, problem } from './problems.ts';

export type PemFiles = {
  /** What connections to backends by TLS trust; undefined where it is what Node trusts by itself. */
  readonly upstream: SecureContext | undefined;
};

/** A configuration with which a gateway can be run. */
export type ServingConfig = LoadedConfig & { readonly pem: PemFiles };

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws ConfigError with every problem, if there is any; those of the files once the values are right */
export function loadServingConfig(input: LoadInput): ServingConfig {
  return withPemFiles(loadConfig(input));
}

/** @throws ConfigError that names each file that cannot be used, and why */
export function withPemFiles(loaded: LoadedConfig): ServingConfig {
  const problems: ConfigProblem[] = [];
  const report = (key: string, path: string, reason: string) =>
    problems.push(problem(key, path, loaded.origins.get(rootOf(key)) ?? { from: 'default' }, reason));
  const upstream = readAuthorities(loaded.config.upstream.tls.caFile, report);
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...loaded, pem: { upstream } };
}

type Report = (key: string, path: string, expected: string) => void;

/** The key without the place in its list, which is how origins are kept. */
function rootOf(key: string): string {
  return key.replace(/\[.*/, '');
}

function readAuthorities(path: string, report: Report): SecureContext | undefined {
  if (path === '') return undefined;
  const key = 'upstream.tls.caFile';
  const text = readPem(path, key, report);
  const own = text?.match(CERTIFICATE) ?? [];
  if (text === undefined) return undefined;
  if (own.length === 0) report(key, path, 'must be a file of certificates in PEM: it holds none');
  const broken = own.findIndex((pem) => !isCertificate(pem));
  if (broken !== -1)
    report(key, path, `must be a file of certificates in PEM: number ${broken + 1} cannot be read as one`);
  return createSecureContext({ ca: [...getCACertificates('default'), ...own.filter(isCertificate)] });
}

function readPem(path: string, key: string, report: Report): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    report(key, path, `must be a file that can be read: ${reasonOf(error)}`);
    return undefined;
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
