/**
 * Deliberate faults: each is put into a copy of the product by itself, to see whether the simulator finds it. The text
 * before must stand exactly once in its file, so that a mutant cannot quietly become none.
 */

import { HEALTH } from './mutations/health.ts';
import { LEASES } from './mutations/leases.ts';
import { LOG } from './mutations/log.ts';
import type { Mutation } from './mutations/mutation.ts';
import { REQUESTS } from './mutations/requests.ts';
import { SELECTION } from './mutations/selection.ts';

export const MUTATIONS: readonly Mutation[] = [...LOG, ...LEASES, ...SELECTION, ...HEALTH, ...REQUESTS];
