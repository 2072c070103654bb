/**
 * Tells what `reprise explain` says of one request, as a thread that lives as long as that takes: the log is read from its
 * beginning, which must keep no other question waiting.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { explainRequest, troubles } from '../commands/explain-run.ts';
import { LogRefusedError } from '../event-log/reader-files.ts';
import { paintNothing } from '../explain/format.ts';
import type { RequestStory } from './api.ts';
import type { StorySetup } from './thread.ts';

const setup: StorySetup = workerData;

parentPort?.postMessage(await tell(setup));

async function tell({ path, request }: StorySetup): Promise<RequestStory> {
  try {
    const { isFound, lines, hints, log, report } = await explainRequest(path, request, () => undefined);
    return {
      isFound,
      lines: [...(isFound ? lines(paintNothing) : hints), ...troubles(log)],
      arrivals: report.requests.map(({ seq, arrivedAt }) => ({ seq, at: arrivedAt })),
    };
  } catch (error) {
    if (!(error instanceof LogRefusedError)) throw error;
    return { isFound: false, lines: [error.message], arrivals: [] };
  }
}
