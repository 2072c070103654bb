/**
 * Reads the list of backends, `{ id?, protocol?, host, port, weight? }` or `{ url, id?, weight? }` each, into the
 * one form the gateway works with, and finds everything that is wrong with it, duplicates included.
 */

import type { Fault } from './formats.ts';
import { canonicalHost, hostAndPort, isHost } from './hosts.ts';
import { nearest } from './nearest.ts';
import { isWholeNumber } from './numbers.ts';
import { keyPath } from './problems.ts';
import type { BackendConfig } from './schema.ts';

type Fields = Readonly<Record<string, unknown>>;
type Address = Pick<BackendConfig, 'protocol' | 'host' | 'port'>;
type Report = (at: string, value: unknown, expected: string) => void;

const KEYS = ['id', 'protocol', 'host', 'port', 'url', 'weight'];
const MAX_BACKENDS = 1000;
const MAX_WEIGHT = 1000;
/** The longest `host:port` fits: 253 letters and a dot, a colon, 5 digits. */
const MAX_ID_LENGTH = 260;
const ID = /^[A-Za-z0-9._:[\]-]+$/;

const LIST_EXPECTED = `must be a list of at most ${MAX_BACKENDS} backends, each { "host", "port" } or { "url" }`;
const ENTRY_EXPECTED = 'must be an object { "host", "port" } or { "url" }';
const TEXT_EXPECTED =
  'must be HOST:PORT[,weight=N][,id=X], an IPv6 address in brackets, or http(s)://HOST:PORT in place of HOST:PORT; ' +
  'in a file it must be an object { "host", "port" } or { "url" }';
const ID_EXPECTED = `must be 1 to ${MAX_ID_LENGTH} of the characters A-Z a-z 0-9 . _ : - [ ], and not only dots`;
const PORT_EXPECTED = 'must be a whole number from 1 to 65535';
const URL_EXPECTED = 'must be http://HOST:PORT or https://HOST:PORT';

/**
 * @returns the backends that could be read, and all faults; the backends are fit for use only if there are no
 * faults. Ids default to `host:port`, the weight to 1, the protocol to http, the port of a URL to its protocol's.
 */
export function readBackends(value: unknown): { backends: BackendConfig[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const report: Report = (at, wrong, expected) => {
    const sentence = wrong === undefined ? expected.replace(/^must/, 'is missing; it must') : expected;
    faults.push({ at, value: wrong, expected: sentence });
  };
  if (!Array.isArray(value) || value.length > MAX_BACKENDS) {
    report('', value, LIST_EXPECTED);
    return { backends: [], faults };
  }
  const backends = new Map<number, BackendConfig>();
  for (const [index, entry] of value.entries()) {
    const backend = readBackend(entry, `[${index}]`, report);
    if (backend !== undefined) backends.set(index, backend);
  }
  reportDuplicates(backends, report);
  return { backends: [...backends.values()], faults };
}

function readBackend(entry: unknown, at: string, report: Report): BackendConfig | undefined {
  if (!isFields(entry)) {
    report(at, entry, typeof entry === 'string' ? TEXT_EXPECTED : ENTRY_EXPECTED);
    return undefined;
  }
  for (const key of Object.keys(entry)) {
    if (!KEYS.includes(key)) reportUnknownKey(entry, key, at, report);
  }
  const address = 'url' in entry ? readUrlForm(entry, at, report) : readHostForm(entry, at, report);
  const { weight = 1, id } = entry;
  const weightIsRight = isWholeNumber(weight, 1, MAX_WEIGHT);
  if (!weightIsRight) report(`${at}.weight`, weight, `must be a whole number from 1 to ${MAX_WEIGHT}`);
  if (id !== undefined && !isId(id)) report(`${at}.id`, id, ID_EXPECTED);

  if (address === undefined) return undefined;
  return {
    id: isId(id) ? id : hostAndPort(address.host, address.port),
    ...address,
    weight: weightIsRight ? weight : 1,
  };
}

function readHostForm(entry: Fields, at: string, report: Report): Address | undefined {
  const { host, port, protocol = 'http' } = entry;
  const hostIsRight = typeof host === 'string' && isHost(host);
  const portIsRight = isWholeNumber(port, 1, 65535);
  const protocolIsRight = protocol === 'http' || protocol === 'https';
  if (!hostIsRight) report(`${at}.host`, host, 'must be a host name or an IP address');
  if (!portIsRight) report(`${at}.port`, port, PORT_EXPECTED);
  if (!protocolIsRight) report(`${at}.protocol`, protocol, 'must be "http" or "https"');
  if (!hostIsRight || !portIsRight || !protocolIsRight) return undefined;
  return { protocol, host: canonicalHost(host), port };
}

function readUrlForm(entry: Fields, at: string, report: Report): Address | undefined {
  for (const key of ['host', 'port', 'protocol']) {
    if (key in entry)
      report(`${at}.${key}`, entry[key], 'must not stand beside "url", which says it already');
  }
  const { url: text } = entry;
  const url = typeof text === 'string' && /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  const fault = url === null ? URL_EXPECTED : faultInUrl(url);
  if (url === null || fault !== undefined) {
    report(`${at}.url`, text, fault ?? URL_EXPECTED);
    return undefined;
  }
  const protocol = url.protocol === 'https:' ? 'https' : 'http';
  // WHATWG drops the port that is the default of the protocol.
  const port = url.port === '' ? (protocol === 'https' ? 443 : 80) : Number(url.port);
  return { protocol, host: canonicalHost(url.hostname), port };
}

function faultInUrl(url: URL): string | undefined {
  if (url.username !== '' || url.password !== '') {
    return 'must be without a user name and password; clients send their own Authorization header';
  }
  if (url.pathname !== '/')
    return `must be without a path (${url.pathname}); the path of each request is kept`;
  if (url.search !== '' || url.hash !== '') return 'must be without a query or fragment';
  if (!isHost(url.hostname)) return URL_EXPECTED;
  return url.port === '0' ? 'must have a port from 1 to 65535' : undefined;
}

function reportUnknownKey(entry: Fields, key: string, at: string, report: Report): void {
  const guess = nearest(key, KEYS);
  const hint = guess === undefined ? `the keys are ${KEYS.join(', ')}` : `did you mean "${guess}"?`;
  report(keyPath(at, key), entry[key], `is not a known key; ${hint}`);
}

function reportDuplicates(backends: ReadonlyMap<number, BackendConfig>, report: Report): void {
  const byAddress = new Map<string, number>();
  const byId = new Map<string, number>();
  for (const [index, backend] of backends) {
    const address = hostAndPort(backend.host, backend.port);
    const sameAddress = byAddress.get(address);
    const sameId = byId.get(backend.id);
    if (sameAddress !== undefined) {
      report(`[${index}]`, address, `must not have the same host and port as backends[${sameAddress}]`);
    } else if (sameId !== undefined) {
      report(`[${index}].id`, backend.id, `must not be the same as the id of backends[${sameId}]`);
    }
    if (sameAddress === undefined) byAddress.set(address, index);
    if (sameId === undefined) byId.set(backend.id, index);
  }
}

/** An id stands in URL paths of the admin API, where `.` and `..` would be taken for directories. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_ID_LENGTH && ID.test(value) && !/^\.+$/.test(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
