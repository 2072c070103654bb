/**
 * The files of keys and certificates that a configuration names: read and judged with it, so that one that is missing
 * or broken is a mistake of the configuration like any other, and never a failure under traffic. What is in them stays out of
 * the configuration itself, which is printed and recorded.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import type { CertificateConfig } from './certificates.ts';
import { reasonOf } from './file.ts';
import { type LoadedConfig, type LoadInput, loadConfig } from './load.ts';
import { ConfigError, type ConfigProblem, problem } from './problems.ts';

export type PemFiles = {
  /** What connections to backends by TLS trust; undefined where it is what Node trusts by itself. */
  readonly upstream: SecureContext | undefined;
  /** What clients are served with; the first where they ask for no name. */
  readonly server: readonly ServerCertificate[];
  /** What an operator should look after, though it can be used. */
  readonly warnings: readonly string[];
};

export type ServerCertificate = {
  readonly certificate: X509Certificate;
  /** As `setSecureContext` wants it. */
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
};

/** A configuration with which a gateway can be run. */
export type ServingConfig = LoadedConfig & { readonly pem: PemFiles };

/** Mozilla's intermediate profile, without the ciphers that need parameters of their own. */
const SERVER_TLS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ].join(':'),
} as const;

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
  const server = loaded.config.server.tls.flatMap(
    (files, index) => readCertificate(files, `server.tls[${index}]`, report) ?? [],
  );
  if (problems.length > 0) throw new ConfigError(problems);
  const warnings = loaded.config.server.tls.flatMap(({ certFile }, index) =>
    warningOf(server[index]?.certificate, certFile),
  );
  return { ...loaded, pem: { upstream, server, warnings } };
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

function readCertificate(
  { certFile, keyFile }: CertificateConfig,
  at: string,
  report: Report,
): ServerCertificate | undefined {
  const cert = readPem(certFile, `${at}.certFile`, report);
  const key = readPem(keyFile, `${at}.keyFile`, report);
  if (cert === undefined || key === undefined) return undefined;
  const [own = ''] = cert.match(CERTIFICATE) ?? [];
  const certificate = isCertificate(own) ? new X509Certificate(own) : undefined;
  const privateKey = attempt(() => createPrivateKey(key));
  if (certificate === undefined)
    report(`${at}.certFile`, certFile, 'must be a certificate in PEM: it cannot be read as one');
  if (!('value' in privateKey)) {
    const hint = /ENCRYPTED/.test(key) ? 'it must be without a passphrase' : 'it cannot be read as one';
    report(`${at}.keyFile`, keyFile, `must be a private key in PEM: ${hint}`);
  }
  if (certificate === undefined || !('value' in privateKey)) return undefined;
  if (!certificate.checkPrivateKey(privateKey.value)) {
    report(`${at}.keyFile`, keyFile, `must be the key of the certificate in ${certFile}: it is of another`);
    return undefined;
  }
  const options = { ...SERVER_TLS, cert, key };
  const context = attempt(() => createSecureContext(options));
  if ('value' in context) return { certificate, options, context: context.value };
  report(`${at}.certFile`, certFile, `must be a certificate that can be served: ${context.fault}`);
  return undefined;
}

/** An expired certificate is served all the same: clients that refuse it fare no worse than without a gateway. */
function warningOf(certificate: X509Certificate | undefined, certFile: string): string[] {
  if (certificate === undefined) return [];
  const { validFromDate, validToDate } = certificate;
  const now = new Date();
  if (validToDate < now)
    return [`the certificate in ${certFile} has expired (${validToDate.toISOString()}); renew it and reload`];
  if (validFromDate > now)
    return [`the certificate in ${certFile} is valid only from ${validFromDate.toISOString()} on`];
  return [];
}

function attempt<Value>(make: () => Value): { readonly value: Value } | { readonly fault: string } {
  try {
    return { value: make() };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
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
  return 'value' in attempt(() => new X509Certificate(pem));
}
