/** Which part of the product may import which: io -> streams -> actors, and only the composition root sees all. */

export type Side = {
  /** The files it is about: a folder, or one file. */
  readonly of: string;
  /** What of ours it may import, values and types. */
  readonly files: readonly string[];
  /** What of ours it may import the types of only. */
  readonly types?: readonly string[];
  readonly packages: readonly string[];
  readonly node: 'all' | 'types' | 'none';
};

/** Imports run one way, and only the composition root sees more than one side. */
export const SIDES: readonly Side[] = [
  { of: 'src/actors/', files: ['src/actors/'], packages: ['xstate'], node: 'none' },
  { of: 'src/streams/', files: ['src/streams/', 'src/actors/'], packages: ['rxjs'], node: 'types' },
  { of: 'src/simulation/', files: ['src/simulation/', 'src/actors/'], packages: [], node: 'none' },
  // What works on recorded logs has a core of its own to play them to; the daemon's core is reached by facts alone.
  { of: 'src/io/event-log/', files: ['src/io/', 'src/actors/'], packages: [], node: 'all' },
  { of: 'src/io/explain/', files: ['src/io/', 'src/actors/'], packages: [], node: 'all' },
  { of: 'src/io/whatif/', files: ['src/io/', 'src/simulation/', 'src/actors/'], packages: [], node: 'all' },
  {
    of: 'src/io/inspector/protocol/',
    files: ['src/io/'],
    types: ['src/actors/'],
    packages: ['ws', 'rxjs'],
    node: 'all',
  },
  // Served to a browser, which has neither Node nor anything of ours but these files.
  {
    of: 'src/io/inspector/page/',
    files: ['src/io/inspector/page/'],
    types: ['src/io/inspector/', 'src/actors/'],
    packages: ['lit-html'],
    node: 'none',
  },
  // It plays recorded logs as well, in threads of its own.
  {
    of: 'src/io/inspector/',
    files: ['src/io/', 'src/actors/'],
    packages: ['elkjs', 'xstate'],
    node: 'all',
  },
  { of: 'src/io/commands/', files: ['src/io/', 'src/actors/'], packages: ['commander'], node: 'all' },
  {
    of: 'src/io/metrics/',
    files: ['src/io/'],
    types: ['src/actors/'],
    packages: ['prom-client'],
    node: 'all',
  },
  {
    of: 'src/io/http1/',
    files: ['src/io/', 'src/streams/'],
    types: ['src/actors/'],
    packages: [],
    node: 'all',
  },
  {
    of: 'src/io/',
    files: ['src/io/', 'src/streams/'],
    types: ['src/actors/'],
    packages: ['undici', 'pino', 'pino-pretty', 'convict', 'rxjs'],
    node: 'all',
  },
  { of: 'mock/', files: ['mock/'], packages: [], node: 'all' },
  // The real core and the real streams; of io the parts of the event log that work in memory.
  {
    of: 'simulation/',
    files: [
      'simulation/',
      'src/actors/',
      'src/streams/',
      'src/simulation/agenda.ts',
      'src/simulation/random.ts',
      'src/io/event-log/',
    ],
    packages: ['rxjs'],
    node: 'all',
  },
  {
    of: 'src/operators.ts',
    files: ['src/actors/', 'src/streams/', 'src/io/'],
    packages: ['rxjs'],
    node: 'all',
  },
  {
    of: 'src/gateway.ts',
    files: ['src/operators.ts', 'src/actors/', 'src/streams/', 'src/io/'],
    packages: ['rxjs'],
    node: 'all',
  },
  { of: 'src/main.ts', files: ['src/gateway.ts', 'src/demo.ts', 'src/io/'], packages: [], node: 'all' },
  { of: 'src/cli.ts', files: ['src/main.ts', 'src/io/'], packages: ['commander'], node: 'all' },
  { of: 'src/demo.ts', files: ['mock/', 'src/io/'], packages: [], node: 'all' },
];
