/** `reprise replay` as people and scripts see it: what it prints, and its exit codes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lastTimeOfDay, parsePoint } from '../../src/io/event-log/replay-range.ts';
import { folderOf } from '../support/recorded-log.ts';
import { reprise } from './support.ts';

const HISTORY = join(import.meta.dirname, 'histories/v1');

describe('reprise replay', { concurrency: 2 }, () => {
  test('prints counts and the state at the end of a faithful log, and exits with 0', async () => {
    const { code, stdout, stderr } = await reprise('replay', join(HISTORY, 'faithful'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^ {2}entries +\d+ {2}1 to \d+$/m);
    assert.match(stdout, /^ {2}divergences +0$/m);
    assert.match(stdout, /^ {2}gaps +\d+ {2}\d+ entries not recorded$/m);
    assert.match(
      stdout,
      /^ {2}BACKEND +STATE +FAILS +PASSES +WEIGHT +CURRENT +IDLE +LEASED +SIZE +SENT +FAILED$/m,
    );
    assert.match(stdout, /\nFaithful: \d+ decisions computed again, each as recorded\.\n$/);
  });

  test('shows a divergence with both sides and the facts around it, and exits with 2', async () => {
    const { code, stdout } = await reprise('replay', join(HISTORY, 'altered'));
    assert.equal(code, 2);
    const { divergence, recorded, computed } =
      /DIVERGENCE at entry (?<divergence>\d+), .* \(events-\d+\.ndjson, line \d+\)\n(?: {14}.*\n)* {2}- recorded {2}(?<recorded>.*)\n {2}\+ computed {2}(?<computed>.*)\n/.exec(
        stdout,
      )?.groups ?? {};
    assert.match(recorded ?? '', /^backend\.selected request=\d+ backend=x$/);
    assert.match(computed ?? '', /^backend\.selected request=\d+ backend=[a-d]$/);
    assert.match(
      stdout,
      new RegExp(`\\n {2}facts around it:\\n(?: {4} *\\d+ .*\\n){1,5} {2}> ${divergence} .*\\n {4} *\\d+ `),
    );
    assert.match(stdout, /\nDiverged: \d+ divergences?, no damage\.\n$/);
  });

  test('shows damage with its place and what can still be read, and exits with 3', async () => {
    const { code, stdout } = await reprise('replay', join(HISTORY, 'damaged'));
    assert.equal(code, 3);
    assert.match(stdout, /\nDAMAGE in events-\d+\.ndjson, line 10, byte \d+\n {2}the line was altered: /);
    assert.match(stdout, /\n {2}can be read: everything up to entry \d+, and again from the snapshot/);
    assert.match(stdout, /\nDamaged: damage in 1 place, no divergence\.\n$/);
  });

  test('keeps to 100 columns where its output goes to no terminal', async () => {
    for (const name of ['faithful', 'altered', 'damaged']) {
      const { stdout } = await reprise('replay', join(HISTORY, name));
      for (const line of stdout.split('\n').slice(1)) assert.ok(line.length <= 100, line);
    }
  });

  test('prints one object with --json', async () => {
    const { code, stdout } = await reprise('replay', join(HISTORY, 'faithful'), '--json');
    assert.equal(code, 0);
    const report = JSON.parse(stdout);
    for (const key of ['entries', 'facts', 'decisions', 'divergences', 'recovered', 'gaps']) {
      assert.equal(typeof report[key], 'number', key);
    }
    assert.equal(report.firstDivergence, null);
    assert.match(report.stateHash, /^[0-9a-f]{16}$/);
    assert.equal(report.from.seq, 1);
    assert.equal(report.until.seq, report.stateSeq);
    assert.ok(Array.isArray(report.backends));
  });

  test('refuses a range that is backwards, or begins behind the end of the log, with a true sentence', async () => {
    const log = join(HISTORY, 'faithful');
    for (const [flags, word] of [
      [['--from', '100', '--until', '50'], /: --until 50 is before --from 100\n/],
      [
        ['--from', '1970-01-01T00:00:02Z', '--until', '1970-01-01T00:00:01Z'],
        /: --until 1970-01-01T00:00:01Z is before --from 1970-01-01T00:00:02Z\n/,
      ],
      [['--from', '99999'], /: the log ends with entry 121, at 1970-\S+Z; --from is behind that\n/],
      [['--from', '122', '--json'], /: the log ends with entry 121, at /],
      [['--from', '2099-01-01'], /: the log ends with entry 121, at /],
      [['--from', '118', '--until', '1970-01-01T00:00:00.001Z'], /: .*--until is before/],
    ] as const) {
      const { code, stdout, stderr } = await reprise('replay', log, ...flags);
      assert.deepEqual([code, stdout], [64, ''], `${flags.join(' ')}: ${stderr}`);
      assert.match(stderr, word);
    }
    for (const flags of [
      ['--from', '121'],
      ['--from', '50', '--until', '50'],
      ['--until', '99999'],
    ]) {
      const { code, stderr } = await reprise('replay', log, ...flags);
      assert.equal(code, 0, stderr);
    }
  });

  test('exits with 64 for a wrong flag, no path, or nothing to replay', async (t) => {
    const empty = folderOf(t, new Map());
    for (const [args, word] of [
      [[], /missing required argument 'path'/],
      [[join(HISTORY, 'faithful'), '--from', 'noon'], /--from noon is no entry's number and no time/],
      [
        [join(HISTORY, 'faithful'), '--fast'],
        /unknown option '--fast'\nRun "reprise replay --help" for its flags\.\n$/,
      ],
      [[empty], /no event log in .*: it has no file events-\*\.ndjson/],
      [[join(empty, 'nowhere')], /there is no such file or folder/],
    ] as const) {
      const { code, stdout, stderr } = await reprise('replay', ...args);
      assert.deepEqual([code, stdout], [64, ''], stderr);
      assert.match(stderr, word);
    }
  });
});

describe('a point of a log', () => {
  test('is an entry by its number, and a time in several forms, told apart by their form', () => {
    assert.deepEqual(parsePoint('57'), { seq: 57 });
    assert.deepEqual(parsePoint('1795430483115'), { at: 1795430483115 });
    assert.deepEqual(parsePoint('2026-11-23T03:12:00Z'), { at: Date.UTC(2026, 10, 23, 3, 12) });
    assert.deepEqual(parsePoint('2026-11-23T03:12:00.250+01:00'), {
      at: Date.UTC(2026, 10, 23, 2, 12, 0, 250),
    });
    assert.deepEqual(parsePoint('2026-11-23 03:12'), { at: new Date(2026, 10, 23, 3, 12).getTime() });
    assert.deepEqual(parsePoint('2026-11-23'), { at: new Date(2026, 10, 23).getTime() });
    assert.deepEqual(parsePoint('03:12'), { timeOfDayMs: 11_520_000 });
    assert.deepEqual(parsePoint('23:59:59.5'), { timeOfDayMs: 86_399_500 });
  });

  test('is nothing else', () => {
    for (const text of ['', '-1', '24:00', '3:7', '1e3', '0x10', '2026-13-01', 'yesterday', '1.5']) {
      const point = parsePoint(text);
      assert.equal(point, undefined, text);
    }
  });

  test('as a time of day is the last one before the log ends', () => {
    const end = new Date(2026, 10, 23, 8, 0).getTime();
    assert.equal(lastTimeOfDay(11_520_000, end), new Date(2026, 10, 23, 3, 12).getTime());
    assert.equal(lastTimeOfDay(86_399_000, end), new Date(2026, 10, 22, 23, 59, 59).getTime());
  });
});
