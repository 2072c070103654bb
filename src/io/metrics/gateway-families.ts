/** Metrics of the gateway as a whole: its start, its version, its reloads and the facts it has taken in. */
import { byWord, type Family, single } from './family.ts';
import type { CoreSource } from './source.ts';

export const gatewayFamilies: readonly Family<CoreSource>[] = [
  {
    name: 'reprise_build_info',
    help: 'Always 1; the label says which version runs.',
    labels: ['version'],
    type: 'gauge',
    read: ({ figures: { version } }) => (version === undefined ? [] : [{ labels: { version }, value: 1 }]),
  },
  {
    name: 'reprise_start_time_seconds',
    help: 'When the gateway started, in seconds since the epoch.',
    labels: [],
    type: 'gauge',
    read: ({ figures: { startedAt } }) => (startedAt === undefined ? [] : single(startedAt / 1000)),
  },
  {
    name: 'reprise_config_reloads_total',
    help: 'Reloads of the configuration, by outcome; a refused one changed nothing.',
    labels: ['outcome'],
    type: 'counter',
    read: ({ figures: { reloadsApplied: applied, reloadsRefused: refused } }) =>
      byWord('outcome', { applied, refused }),
  },
  {
    name: 'reprise_config_last_reload_refused',
    help: '1 if the last reload was refused and none has been applied since.',
    labels: [],
    type: 'gauge',
    read: ({ figures }) => single(figures.isLastReloadRefused ? 1 : 0),
  },
  {
    name: 'reprise_facts_total',
    help: 'Facts that the core has taken in, by type.',
    labels: ['type'],
    type: 'counter',
    read: ({ figures }) => byWord('type', figures.facts),
  },
];
