/** Where a part of the log begins, in words. */
import type { Stretch } from '../../actors/explain/playback.ts';
import { counted, dayAndClock } from './format.ts';

/** @returns such as `Run 2, from its start 2026-11-23 03:00:12.000` */
export function stretchWords({ began, run, at, missing, reason }: Stretch): string {
  const when = dayAndClock(at);
  const entries = counted(missing, 'entry', 'entries');
  const missed = missing === 0 ? '' : `; before it ${entries} ${missing === 1 ? 'is' : 'are'} missing`;
  const behindGap = `Run ${run}, from ${when}, behind a gap of ${entries}${reason === null ? '' : ` (${reason})`}`;
  switch (began) {
    case 'run':
      return reason === null ? `Run ${run}, from its start ${when}${missed}` : behindGap;
    case 'log':
      return `Run ${run}, from ${when}, where the log begins; what came before is not in it`;
    case 'gap':
      return behindGap;
    case 'damage':
      return `Run ${run}, from ${when}, behind damage that took ${entries}`;
    case 'divergence':
      return `Run ${run}, from ${when}, behind a part where replay differs from the record`;
  }
}
