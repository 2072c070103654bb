/** The list of certificates that clients are served with: where each is, and its key. */

import type { Fault } from './formats.ts';
import { nearest } from './nearest.ts';
import { keyPath } from './problems.ts';

export type CertificateConfig = {
  /** PEM: the certificate, and behind it those between it and its authority. */
  certFile: string;
  /** PEM: the private key of the certificate, without a passphrase. */
  keyFile: string;
};

const KEYS = ['certFile', 'keyFile'] as const;
const MAX_CERTIFICATES = 100;
const MAX_PATH_LENGTH = 1024;

export const CERTIFICATES_EXPECTED = `must be a list of at most ${MAX_CERTIFICATES} { "certFile", "keyFile" } objects`;
const TEXT_EXPECTED = 'must be CERTFILE,KEYFILE; in a file it must be an object { "certFile", "keyFile" }';

/** @returns everything that is wrong with the list; whether the files are right is judged when they are read. */
export function faultsInCertificates(value: unknown): Fault[] {
  if (!Array.isArray(value) || value.length > MAX_CERTIFICATES)
    return [{ at: '', value, expected: CERTIFICATES_EXPECTED }];
  return value.flatMap((entry: unknown, index) => faultsInEntry(entry, `[${index}]`));
}

function faultsInEntry(entry: unknown, at: string): Fault[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return [{ at, value: entry, expected: TEXT_EXPECTED }];
  const given = new Map<string, unknown>(Object.entries(entry));
  const faults: Fault[] = [];
  for (const [key, value] of given) {
    if (KEYS.some((known) => known === key)) continue;
    const guess = nearest(key, KEYS);
    const hint = guess === undefined ? `the keys are ${KEYS.join(', ')}` : `did you mean "${guess}"?`;
    faults.push({ at: keyPath(at, key), value, expected: `is not a known key; ${hint}` });
  }
  for (const key of KEYS) {
    const value = given.get(key);
    const expected = value === undefined ? 'is missing; it must be the path of a PEM file' : undefined;
    if (expected !== undefined || !isPath(value))
      faults.push({ at: `${at}.${key}`, value, expected: expected ?? 'must be the path of a PEM file' });
  }
  return faults;
}

/** No system takes a path that holds a NUL. */
function isPath(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= MAX_PATH_LENGTH &&
    !value.includes('\0')
  );
}

/** @returns one entry per text; one of another form than `CERTFILE,KEYFILE` stays a text, to be refused. */
export function certificatesFromTexts(texts: readonly string[]): unknown[] {
  return texts.map((text) => {
    const [certFile, keyFile, ...rest] = text.split(',').map((part) => part.trim());
    return keyFile === undefined || rest.length > 0 ? text : { certFile, keyFile };
  });
}
