/** The report as Markdown: where and how it was measured, a table for each measurement, and the floors beside. */
import { cpus, release } from 'node:os';
import type { Contestant } from './proxies.ts';

/** @returns a table; the first column is text, the others are figures */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [columns, rule, ...rows].map(line).join('\n');
}

/** @returns a figure with so many digits behind the point, or a dash where there is none */
export function figure(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  return value.toFixed(digits);
}

/** @returns a whole number with its thousands apart */
export function thousands(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}

/** @returns what a reader must know to judge the figures */
export function heading(command: string, contestants: readonly Contestant[]): string {
  const [cpu] = cpus();
  // A distribution's own suffix says nothing about speed.
  const kernel = release().replace(/-.*$/, '');
  const versions = contestants
    .filter(({ name }) => name !== 'Reprise without event log')
    .map(({ name, version }) => `${name} ${version}`);
  return `# Speed, measured

    ${command}

- ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Linux ${kernel}, ${cpus().length} cores of ${cpu?.model.trim()}, shared with load and backends
- ${versions.join(', ')}; each one process with one thread for traffic, over three backends of weights 5, 1 and 1`;
}
