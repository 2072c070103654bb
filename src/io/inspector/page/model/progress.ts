/** How far the log has been read, and what can be shown of it by then. */
import type { Overview } from '../../api.ts';
import type { Point } from '../client.ts';

/** Whether there is more to come: from a gateway, or from a log that is still being read. */
export function isGrowing(overview: Overview | null): boolean {
  if (overview === null || overview.last === null || overview.source.kind === 'live') return true;
  return isBeingRead(overview);
}

/** Whether a point is among what has been read. One behind the end of a log counts as read when all is. */
export function isReadTo(overview: Overview, point: Point): boolean {
  // A gateway that records nothing has its present alone, and notes that say so.
  if (overview.last === null) return overview.source.kind === 'live' && overview.notes.length > 0;
  if (point === 'end' || 'at' in point) return true;
  return overview.last.seq >= point.seq || !isBeingRead(overview);
}

function isBeingRead({ progress }: Overview): boolean {
  return progress.bytes < progress.bytesTotal;
}
