/**
 * Loaded before the tests of `npm run coverage`: every file that is judged, so that one which no test imports is in the
 * report too; and one seed for the random tests, so that the report is the same each time.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { JUDGED } from './coverage-exceptions.ts';

const SEED = 1;

fc.configureGlobal({ seed: SEED });
for (const path of globSync([...JUDGED])) await import(pathToFileURL(join(process.cwd(), path)).href);
