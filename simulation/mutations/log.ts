/** Deliberate faults of the event log, two of which were really there. */
import type { Mutation } from './mutation.ts';

export const LOG: readonly Mutation[] = [
  {
    name: 'a gap whose mark is lost is counted twice',
    file: 'src/io/event-log/backlog.ts',
    before: '  backlog.recentGaps = backlog.recentGaps.filter(({ seq }) => seq <= marked);\n',
    after: '  void marked;\n',
  },
  {
    name: 'a gap whose mark the failing disk has taken is not counted',
    file: 'src/io/event-log/backlog.ts',
    before: '  backlog.gap = { after: kept, reason };\n',
    after:
      '  backlog.gap = { after: kept, reason };\n  backlog.recentGaps = backlog.recentGaps.filter(({ seq }) => seq <= kept);\n',
  },
  {
    name: 'entries that are dropped for want of room are not counted',
    file: 'src/io/event-log/backlog-lines.ts',
    before: '  backlog.recentGaps.push({ after, seq });\n',
    after: "  if (reason !== 'too slow') backlog.recentGaps.push({ after, seq });\n",
  },
];
