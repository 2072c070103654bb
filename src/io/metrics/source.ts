/** What the metrics of a gateway are read from at the moment of a scrape, and of a recorded log at its end. */
import type { Figures } from '../../actors/figures/figures.ts';
import type { BackendView } from '../../actors/view.ts';

/** What the core knows now anyway, and is therefore not folded. */
export type CoreReading = {
  readonly backends: readonly BackendView[];
  /** Requests in line. */
  readonly queued: number;
  /** Requests that have come and not ended, those in line included. */
  readonly inFlight: number;
};

export type CoreSource = { readonly figures: Figures; readonly core: CoreReading };
