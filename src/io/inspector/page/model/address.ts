/** What of the page is kept in the fragment of its address, so that a moment can be bookmarked or sent to somebody. */

export type Place = {
  readonly seq: number | null;
  readonly backend: string | null;
  readonly request: string | null;
};

/** @param hash with or without its `#`; what makes no sense in it is left out */
export function placeOf(hash: string): Place {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const seq = query.get('seq') ?? '';
  return {
    seq: /^\d{1,15}$/.test(seq) ? Number(seq) : null,
    backend: query.get('backend'),
    request: query.get('request'),
  };
}

/** @returns the fragment with its `#`; just `#` where there is nothing to keep */
export function hashOf({ seq, backend, request }: Place): string {
  const query = new URLSearchParams();
  if (seq !== null) query.set('seq', String(seq));
  if (backend !== null) query.set('backend', backend);
  if (request !== null) query.set('request', request);
  return `#${query}`;
}
