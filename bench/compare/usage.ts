/** What a process and its children have used, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** @returns microseconds of CPU time of all threads that are alive, exact to the nanosecond unlike /proc/PID/stat */
export function cpuUs(pid: number): number {
  let total = 0;
  for (const each of processTree(pid)) {
    for (const thread of list(`/proc/${each}/task`)) {
      const [ns = '0'] = read(`/proc/${each}/task/${thread}/schedstat`).split(' ');
      total += Number(ns) / 1e3;
    }
  }
  return total;
}

/** @returns kilobytes of memory that are resident */
export function residentKb(pid: number): number {
  return processTree(pid)
    .map((each) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${each}/status`))?.[1] ?? 0))
    .reduce((sum, kb) => sum + kb, 0);
}

function processTree(pid: number): number[] {
  const found = [pid];
  for (const each of found) {
    for (const thread of list(`/proc/${each}/task`)) {
      const children = read(`/proc/${each}/task/${thread}/children`).split(' ');
      found.push(...children.filter((child) => child !== '').map(Number));
    }
  }
  return found;
}

/** Nothing, if it ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
