/**
 * Certificates made while a test runs, by hand in DER (X.690, RFC 5280), since a machine need not have openssl. They
 * have what TLS looks at and no more: names, times, a key, and who signed.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

export type Authority = { readonly name: string; readonly key: KeyObject; readonly cert: string };
export type Certificate = { readonly cert: string; readonly key: string };

export type CertificateParts = {
  /** Host names and IPv4 addresses that it is for; the first is its subject as well. */
  readonly names: readonly string[];
  /** Signed by this authority; by itself if there is none. */
  readonly by?: Authority;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
};

const DAY_MS = 86_400_000;
const OIDS = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  subjectAltName: '2.5.29.17',
};

export function createAuthority(name = 'Test Authority'): Authority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension(OIDS.basicConstraints, sequence(tlv(0x01, Buffer.from([0xff]))));
  const cert = certificate({ issuer: name, subject: name, key: privateKey, by: privateKey }, [isAuthority]);
  return { name, key: privateKey, cert };
}

export function createCertificate({ names, by, notBefore, notAfter }: CertificateParts): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = names[0] ?? 'localhost';
  const altNames = sequence(...names.map(altName));
  const cert = certificate(
    {
      ...{ issuer: by?.name ?? subject, subject, key: privateKey, by: by?.key ?? privateKey },
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(notAfter === undefined ? {} : { notAfter }),
    },
    [extension(OIDS.subjectAltName, altNames)],
  );
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

type Filling = {
  readonly issuer: string;
  readonly subject: string;
  readonly key: KeyObject;
  readonly by: KeyObject;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
};

function certificate(filling: Filling, extensions: readonly Buffer[]): string {
  const { issuer, subject, key, by } = filling;
  const { notBefore = new Date(Date.now() - DAY_MS), notAfter = new Date(Date.now() + DAY_MS) } = filling;
  const algorithm = sequence(oid(OIDS.ecdsaWithSha256));
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    sequence(utcTime(notBefore), utcTime(notAfter)),
    distinguishedName(subject),
    publicKeyOf(key),
    tlv(0xa3, sequence(...extensions)),
  );
  const der = sequence(body, algorithm, bitString(sign('sha256', body, by)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function publicKeyOf(key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.from(jwk.y ?? '', 'base64url'),
  ]);
  // id-ecPublicKey on prime256v1 (RFC 5480).
  return sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(point));
}

function distinguishedName(commonName: string): Buffer {
  const value = tlv(0x0c, Buffer.from(commonName));
  return sequence(tlv(0x31, sequence(oid(OIDS.commonName), value)));
}

function altName(name: string): Buffer {
  if (isIP(name) === 4) return tlv(0x87, Buffer.from(name.split('.').map(Number)));
  return tlv(0x82, Buffer.from(name));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tlv(0x04, value));
}

function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

function bitString(content: Buffer): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
