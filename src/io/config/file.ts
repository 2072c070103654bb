/**
 * The JSON file: read within limits, its syntax errors placed by line and column, its sections walked along the
 * schema. Walking it ourselves finds what convict overlooks: prototype keys, sections that are no objects, and
 * objects in the place of a value.
 */

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { expectedBy } from './formats.ts';
import { findJsonFault, type JsonFault } from './json-fault.ts';
import type { ReadLayer, Setting } from './layers.ts';
import { nearest } from './nearest.ts';
import { type ConfigProblem, keyPath, type Origin, problem, withoutCredentials } from './problems.ts';
import { isLeaf, type Leaf, type Section } from './tree.ts';

/** `chosenBy` is the flag or variable that named the file. */
export type ConfigFile = { readonly name: string; readonly path: string; readonly chosenBy: Origin };

const MAX_FILE_BYTES = 1024 * 1024;
const EXCERPT_BEFORE = 24;
const EXCERPT_LENGTH = 48;

/** Reads the file; whatever is wrong with it comes back as problems, none is thrown. */
export function readConfigFile(file: ConfigFile, tree: Section): ReadLayer {
  const layer = new Map<string, Setting>();
  const problems: ConfigProblem[] = [];
  const origin: Origin = { from: 'file', name: file.name };

  const read = readText(file.path);
  if ('reason' in read) {
    problems.push(
      problem('config', file.name, file.chosenBy, `must be a file that can be read: ${read.reason}`),
    );
    return { layer, problems };
  }
  const fault = findJsonFault(read.text);
  if (fault !== undefined) {
    problems.push(placed(read.text, fault, origin));
    return { layer, problems };
  }
  const content: unknown = JSON.parse(read.text);
  walk(content, tree, '', (key, value, expected) => {
    if (expected === undefined) layer.set(key, { value, origin });
    else problems.push(problem(key, value, origin, expected));
  });
  return { layer, problems };
}

type Visit = (key: string, value: unknown, expected?: string) => void;

function walk(content: unknown, section: Section, path: string, visit: Visit): void {
  const names = Object.keys(section).join(', ');
  if (!isObject(content)) {
    const where = path === '' ? 'top level' : path;
    visit(where, content, `must be an object { … } with keys among ${names}`);
    return;
  }
  for (const [name, value] of Object.entries(content)) {
    const node = Object.hasOwn(section, name) ? section[name] : undefined;
    const key = keyPath(path, name);
    if (node === undefined) visit(key, value, `is not a known key; ${hintFor(name, section, names)}`);
    else if (!isLeaf(node)) walk(value, node, key, visit);
    // Convict would flatten an object here and then call the key missing.
    else if (isObject(value)) visit(key, value, expectedBy(node));
    else visit(key, value);
  }
}

function hintFor(name: string, section: Section, names: string): string {
  const parts = name.split('.');
  if (parts.length > 1 && isDottedPath(parts, section)) {
    return `nest it: ${parts.map((part) => `"${part}": `).join('{ ')}…${' }'.repeat(parts.length - 1)}`;
  }
  const guess = nearest(name, Object.keys(section));
  return guess === undefined ? `the keys here are ${names}` : `did you mean "${guess}"?`;
}

function isDottedPath(parts: readonly string[], section: Section): boolean {
  let node: Section | Leaf | undefined = section;
  for (const part of parts) {
    node = node !== undefined && !isLeaf(node) && Object.hasOwn(node, part) ? node[part] : undefined;
  }
  return node !== undefined;
}

function readText(path: string): { readonly text: string } | { readonly reason: string } {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return { reason: 'it is a directory' };
    if (!stats.isFile())
      return { reason: 'it is not a regular file, and a reload must be able to read it again' };
    const bytes = readAtMost(path, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) return { reason: `it is larger than ${MAX_FILE_BYTES} bytes` };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

function readAtMost(path: string, limit: number): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(limit);
    let length = 0;
    for (;;) {
      const got = readSync(descriptor, buffer, length, limit - length, null);
      length += got;
      if (got === 0 || length === limit) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Why a file could not be read, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'ENOTDIR':
      return 'a part of its path is not a directory';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'it is not UTF-8 text';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function placed(text: string, { offset, expected }: JsonFault, origin: Origin): ConfigProblem {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineEnd = text.indexOf('\n', lineStart);
  const line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd);
  const excerptStart = Math.max(0, offset - lineStart - EXCERPT_BEFORE);
  const excerpt = line.slice(excerptStart, excerptStart + EXCERPT_LENGTH).trim();
  return {
    key: 'config',
    value: withoutCredentials(excerpt),
    origin,
    expected: text.trim() === '' ? 'the file is empty; it must hold a JSON object, at least {}' : expected,
    line: before.split('\n').length,
    column: offset - lineStart + 1,
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
