/**
 * The inspector of a gateway that runs. Its past is read from its own event log, in another thread; where the log is off
 * or fails, the present at least comes from the core itself.
 */
import type { EventLogStats } from '../event-log/event-log.ts';
import type { Moment, Overview } from './api.ts';
import { createInquiry } from './inquiry.ts';
import type { Question } from './questions.ts';
import type { InspectorOptions } from './routes.ts';
import type { Reply } from './thread.ts';

export type LiveOptions = {
  /** The folder of the event log; null if it is off. */
  readonly dir: string | null;
  log(): EventLogStats;
  source(): Overview['source'];
  /** The state of the core after the entry `seq`. */
  now(seq: number): Moment;
  /** Shorter in tests. */
  readonly idleMs?: number;
};

export type LiveInspector = InspectorOptions & {
  /** Whether the thread that answers runs. */
  readonly isAwake: boolean;
  close(): Promise<void>;
};

const IDLE_MS = 30_000;

export function createLiveInspector(options: LiveOptions): LiveInspector {
  const { dir, source, log, idleMs = IDLE_MS } = options;
  const inquiry = createInquiry({ path: dir, setup: () => ({ isLive: true, source: source() }), idleMs });
  return {
    ask: (question) => answerNow(options, question) ?? inquiry.ask(question),
    notes: () => notesOf(log()),
    get isAwake() {
      return inquiry.isAwake;
    },
    close: inquiry.close,
  };
}

/** @returns undefined if the log has the answer */
function answerNow({ dir, log, now }: LiveOptions, question: Question): Promise<Reply> | undefined {
  if (question.ask !== 'moment') return undefined;
  const { state, seq } = log();
  const isPast = question.seq !== undefined || question.at !== undefined;
  const isRecorded = state === 'recording' || state === 'dropping';
  if (dir !== null && (isPast || isRecorded)) return undefined;
  return Promise.resolve({ status: 200, body: JSON.stringify(now(seq)) });
}

function notesOf({ state, reason, dropped }: EventLogStats): string[] {
  const lost = dropped === 0 ? '' : ` (${dropped} entries so far)`;
  switch (state) {
    case 'off':
      return ['the event log is off: there is the present only, and no history'];
    case 'failed':
      return [
        `recording has failed (${reason ?? 'unknown'}); what happens now is missing in the history${lost}`,
      ];
    case 'dropping':
      return [`the disk is too slow (${reason ?? 'unknown'}); entries are missing in the history${lost}`];
    case 'recording':
    case 'closed':
      return [];
  }
}
