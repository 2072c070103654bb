/**
 * Says that a value is there because the core itself sees to it, such as the lease that a request holds. A fallback
 * instead would be code that nothing reaches, and would hide the mistake on the day that something does.
 */

/**
 * @param what the value, as the message is to name it
 * @throws TypeError if it is not there after all
 */
export function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new TypeError(`${what} is not there`);
  return value;
}
