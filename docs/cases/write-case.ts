/** Writes the event log of a case into a folder, as the gateway would have. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordScenario, type Scenario } from '../../test/support/scenario.ts';

const EXIT_USAGE = 64;

export function writeCase(scenario: Scenario, folder: string | undefined): void {
  if (folder === undefined) {
    process.stderr.write('the folder to write the event log into is missing\n');
    process.exitCode = EXIT_USAGE;
    return;
  }
  const { name, text } = recordScenario(scenario);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
}
