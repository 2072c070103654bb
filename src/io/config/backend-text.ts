/**
 * The short form of a backend in a flag or variable, `HOST:PORT[,weight=N][,id=X]` or a URL in place of HOST:PORT,
 * turned into the object that a file would hold. Whether the object is right is judged in one place, `backends.ts`.
 */

import { hostAndPort } from './hosts.ts';
import { wholeNumberFromText } from './numbers.ts';
import type { BackendConfig } from './schema.ts';

/** A host, or anything in brackets; then one colon and the port. More colons are an IPv6 address without brackets. */
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:[\]]+):([^:]*)$/;
const ADDRESS_FIELDS: ReadonlySet<string> = new Set(['host', 'port', 'url', 'protocol']);

/** @returns one raw entry per text; a text whose form is wrong stays a text, for `readBackends` to refuse. */
export function backendsFromTexts(texts: readonly string[]): unknown[] {
  return texts.map(backendFromText);
}

/** @returns the short form of a backend, such as `127.0.0.1:8001,weight=5`; the default id and weight are left out. */
export function backendToText(backend: BackendConfig): string {
  const address = hostAndPort(backend.host, backend.port);
  const weight = backend.weight === 1 ? '' : `,weight=${backend.weight}`;
  const id = backend.id === address ? '' : `,id=${backend.id}`;
  return `${backend.protocol === 'http' ? '' : `${backend.protocol}://`}${address}${weight}${id}`;
}

function backendFromText(text: string): unknown {
  const [address = '', ...options] = text.split(',').map((part) => part.trim());
  const fields = addressFields(address);
  if (fields === undefined) return text;

  for (const option of options) {
    const equals = option.indexOf('=');
    const name = equals < 0 ? option : option.slice(0, equals);
    if (fields.has(name) || ADDRESS_FIELDS.has(name)) return text;
    const value = equals < 0 ? undefined : option.slice(equals + 1);
    fields.set(name, name === 'weight' ? wholeNumberFromText(value ?? '') : value);
  }
  return Object.fromEntries(fields);
}

function addressFields(address: string): Map<string, unknown> | undefined {
  if (address.includes('://')) return new Map([['url', address]]);
  const [, host, port] = HOST_AND_PORT.exec(address) ?? [];
  if (host === undefined || port === undefined) return undefined;
  return new Map<string, unknown>([
    ['host', host],
    ['port', wholeNumberFromText(port)],
  ]);
}
