/** Figures of the process itself: CPU, memory, event loop, garbage collection, as prom-client collects them. */
import { collectDefaultMetrics, Registry } from 'prom-client';

/** They list every open handle at each scrape, which takes the longer the more connections there are. */
const TOO_LONG = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/** Of the event loop's delay; it is part of what is measured. Every 10 ms, as is usual, costs an idle gateway twice as much. */
const SAMPLE_MS = 20;

let registry: Registry | undefined;

/** @returns one registry for the process; what it watches is watched from the first call on */
export function processRegistry(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: SAMPLE_MS });
    for (const name of TOO_LONG) registry.removeSingleMetric(name);
  }
  return registry;
}
