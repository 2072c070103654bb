/** Takes the types out of the sources it is given, as a thread that `page-files.ts` starts. */
import { stripTypeScriptTypes } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

const sources: readonly (readonly [string, string])[] = workerData;

parentPort?.postMessage(sources.map(([name, text]) => [name, stripTypeScriptTypes(text)]));
