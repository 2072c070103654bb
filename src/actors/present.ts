/**
 * Asserts that a value is there because the core itself sees to it, such as the lease that a request holds. A fallback
 * would be code that no test can reach, and would hide the mistake if one were made.
 */

/**
 * @param what the value, as the message is to name it
 * @throws TypeError if it is not there after all
 */
export function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new TypeError(`${what} is not there`);
  return value;
}
