/** The line of requests that wait for a lease: one for all backends, first come first served. */

/** Keeps the line in order of arrival: a request that comes back after a retry takes its old place. */
export function joinLine(waiting: number[], request: number): void {
  const index = waiting.findLastIndex((other) => other < request);
  waiting.splice(index + 1, 0, request);
}

export function leaveLine(waiting: number[], request: number): void {
  const index = waiting.indexOf(request);
  if (index !== -1) waiting.splice(index, 1);
}
