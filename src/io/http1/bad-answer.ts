/**
 * What a backend sent is no answer in HTTP/1.1, or none that can be passed on. To the core, and in the log, each is a
 * `badResponse`; which it was is for those who debug.
 */
export class BadAnswer extends Error {}
