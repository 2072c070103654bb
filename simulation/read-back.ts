/** Reads back what a recorder has left on its disk: every entry is there or in a gap, once, and replays as it was recorded. */
import { createReplay } from '../src/actors/replay.ts';
import { decodeLine } from '../src/io/event-log/lines.ts';
import { stateHash } from '../src/io/event-log/segments.ts';
import { bytesOfSegment, type SimulatedDisk } from './disk.ts';
import type { Recorder } from './recorder.ts';

/** @param last the number of the last entry there was. @returns what is wrong with the log, if anything is */
export function readBack(
  { segments }: SimulatedDisk,
  { losses }: Recorder,
  last: number,
): string | undefined {
  const replay = createReplay(stateHash);
  let seq = 0;
  let dropped = 0;
  let gaps = 0;
  for (const segment of segments) {
    const texts = bytesOfSegment(segment).toString().split('\n');
    if (texts.pop() !== '') return 'the log ends in half a line';
    for (const [index, text] of texts.entries()) {
      const decoded = decodeLine(text);
      if (!decoded.ok) return `a line of the log cannot be read: ${decoded.problem}`;
      if (decoded.n !== index + 1) return `line ${index + 1} of a segment has the number ${decoded.n}`;
      const { line } = decoded;
      if (!('type' in line)) {
        if (line.seq !== seq + 1) return `entry ${line.seq} follows entry ${seq} in the log`;
        if (replay.take(line) !== undefined) return `the log diverges at entry ${line.seq}`;
      } else if (line.type === 'log.gap') {
        if (line.after !== seq || line.dropped !== line.seq - seq)
          return `a gap after ${line.after} stands after ${seq}`;
        dropped += line.dropped;
        gaps += 1;
      } else if (line.type === 'snapshot') {
        if (line.seq !== seq) return `a snapshot of ${line.seq} stands after ${seq}`;
        replay.load(line.state);
      }
      if ('hash' in line && replay.compare(line.seq, line.at, line.hash) !== undefined)
        return `the state at ${line.seq} is another than the log says`;
      if (!('type' in line) || line.type !== 'segment') seq = line.seq;
    }
  }
  if (seq !== last) return `the log ends with entry ${seq}, of ${last}`;
  if (dropped !== losses.dropped)
    return `${dropped} entries are not in the log, ${losses.dropped} were counted`;
  return gaps === losses.gaps ? undefined : `${gaps} gaps are in the log, ${losses.gaps} were counted`;
}
