/** Ends a `switch` over a union, so that the compiler names each place a new member has to be handled. */

/**
 * @throws TypeError always; it is reached only if a value got past the types.
 */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
