/** Metrics of the connections of clients: how many there are, and how many were too many. */
import type { ConnectionStats } from '../connection-limits.ts';
import { byWord, type Family, single } from './family.ts';

export type ConnectionSource = { readonly connections: ConnectionStats };

export const connectionFamilies: readonly Family<ConnectionSource>[] = [
  {
    name: 'reprise_client_connections',
    help: 'Connections of clients that are open.',
    labels: [],
    type: 'gauge',
    read: ({ connections }) => single(connections.open),
  },
  {
    name: 'reprise_client_connections_refused_total',
    help: 'Connections refused since the start, by the limit that was reached: that of all, or that of one address.',
    labels: ['limit'],
    type: 'counter',
    read: ({ connections }) => byWord('limit', connections.refused),
  },
];
