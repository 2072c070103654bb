/**
 * The files of the page. Which there are is found out once, and only those are served: no path of a request reaches the
 * file system. In a checkout the sources are served with their types taken out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { threadUrl } from './thread.ts';

export type PageFile = { readonly type: string; readonly body: Buffer };

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};
const PAGE = join(import.meta.dirname, 'page');
/** Served below this name, so that the page loads nothing from elsewhere. */
const LIBRARY = 'lit-html';

let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** @returns the files by their names below `/inspector/`, the same ones each time */
export function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  files ??= load();
  return files;
}

async function load(): Promise<ReadonlyMap<string, PageFile>> {
  const texts = new Map<string, string>();
  for (const name of filesBelow(PAGE)) texts.set(name, readFileSync(join(PAGE, name), 'utf8'));
  const served = new Map<string, PageFile>();
  for (const [name, text] of await withoutTypes(texts)) {
    const suffix = suffixOf(name);
    const type = TYPES[suffix];
    if (type === undefined || name.endsWith('.d.ts')) continue;
    const isScript = suffix === 'ts' || suffix === 'js';
    const depth = name.split('/').length - 1;
    const body = Buffer.from(isScript ? resolveImports(text, depth) : text);
    served.set(name.replace(/\.ts$/, '.js'), { type, body });
  }
  for (const [name, body] of libraryFiles()) served.set(`${LIBRARY}/${name}`, { type: TYPES.js ?? '', body });
  return served;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => TYPES[suffixOf(name)] !== undefined);
}

function suffixOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** A browser knows no packages and no sources: both are given the names they are served by. */
function resolveImports(text: string, depth: number): string {
  const top = depth === 0 ? './' : '../'.repeat(depth);
  return text
    .replace(/((?:\bfrom|\bimport)\s*\(?\s*)(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/g, '$1$2$3.js$2')
    .replace(/((?:\bfrom|\bimport)\s*\(?\s*)(['"])lit-html\2/g, `$1$2${top}${LIBRARY}/lit-html.js$2`)
    .replace(/((?:\bfrom|\bimport)\s*\(?\s*)(['"])lit-html\//g, `$1$2${top}${LIBRARY}/`);
}

/** The library as browsers get it: neither for servers nor for debugging. */
function libraryFiles(): [string, Buffer][] {
  const folder = fileURLToPath(new URL('..', import.meta.resolve('lit-html')));
  const isFor = (name: string) => /^(?:directives\/)?[\w-]+\.js$/.test(name);
  return filesBelow(folder)
    .filter(isFor)
    .map((name) => [name, readFileSync(join(folder, name))]);
}

/** In a thread of its own, since Node would warn that taking out types is experimental. */
async function withoutTypes(texts: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
  const sources = [...texts].filter(([name]) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  if (sources.length === 0) return texts;
  const worker = new Worker(threadUrl('strip-types'), {
    workerData: sources,
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const stripped = await new Promise<readonly [string, string][]>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  return new Map([...texts, ...stripped]);
}
