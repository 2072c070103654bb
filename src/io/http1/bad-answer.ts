/** What a backend sent is no answer in HTTP/1.1, or none that can be passed on. */
export class BadAnswer extends Error {}
