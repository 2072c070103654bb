/** Reason phrases as they can be passed on. */

const PLAIN = /^[\x20-\x7e]*$/;
/** What node refuses to send in a reason phrase. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/g;

/** @returns the reason with a space in the place of each character that node would not send. @param reason each character for one byte */
export function sendableReason(reason: string): string {
  return PLAIN.test(reason) ? reason : reason.replace(UNSENDABLE, ' ');
}
