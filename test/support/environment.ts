/** The environment of processes that tests start: no setting of Reprise, whatever the tests themselves were started with. */

/** What finds Node, and what spares each process the compiling of the same files (see scripts/test.sh). */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
}
