/** Metrics of the event log: whether it records, how far behind it is, and what it has lost. */
import type { EventLogStats } from '../event-log/event-log.ts';
import { byWord, type Family, oneHot, single } from './family.ts';

export type EventLogSource = { readonly eventLog: EventLogStats };

const STATES: readonly EventLogStats['state'][] = ['recording', 'dropping', 'failed', 'closed', 'off'];

export const eventLogFamilies: readonly Family<EventLogSource>[] = [
  {
    name: 'reprise_event_log_state',
    help: '1 for the state the event log is in, 0 for the others.',
    labels: ['state'],
    type: 'gauge',
    read: ({ eventLog }) => oneHot('state', STATES, eventLog.state),
  },
  {
    name: 'reprise_event_log_seq',
    help: 'Numbers of the last entries that were made, written and forced to the disk.',
    labels: ['stage'],
    type: 'gauge',
    read: ({ eventLog: { seq: made, writtenSeq: written, syncedSeq: synced } }) =>
      byWord('stage', { made, written, synced }),
  },
  {
    name: 'reprise_event_log_lag_seconds',
    help: 'How long the oldest entry has waited that is not written yet.',
    labels: [],
    type: 'gauge',
    read: ({ eventLog }) => single(eventLog.lagMs / 1000),
  },
  {
    name: 'reprise_event_log_waiting_bytes',
    help: 'Bytes that wait in memory to be written.',
    labels: [],
    type: 'gauge',
    read: ({ eventLog }) => single(eventLog.waitingBytes),
  },
  {
    name: 'reprise_event_log_written_bytes_total',
    help: 'Bytes written since the start, before compression.',
    labels: [],
    type: 'counter',
    read: ({ eventLog }) => single(eventLog.bytes),
  },
  {
    name: 'reprise_event_log_dropped_entries_total',
    help: 'Entries that are not in the log.',
    labels: [],
    type: 'counter',
    read: ({ eventLog }) => single(eventLog.dropped),
  },
  {
    name: 'reprise_event_log_gaps_total',
    help: 'Gaps that dropped entries have left in the log.',
    labels: [],
    type: 'counter',
    read: ({ eventLog }) => single(eventLog.gaps),
  },
];
