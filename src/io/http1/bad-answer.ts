/**
 * What a backend sent is no answer in HTTP/1.1, or none that can be passed on. To the core, and in the log, each is a
 * `badResponse`; the message, which says what was wrong, does not go that far.
 */
export class BadAnswer extends Error {}
