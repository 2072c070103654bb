/**
 * Whether an answer has content at all (RFC 9110 §6.4.1), whatever its headers say.
 *
 * @param isHead whether it answers a HEAD
 */
export function hasContent(isHead: boolean, status: number): boolean {
  return !isHead && status >= 200 && status !== 204 && status !== 304;
}
