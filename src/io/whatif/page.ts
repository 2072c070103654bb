/**
 * The report as one page that stands alone: style and pictures are in it, nothing is loaded and nothing runs. All that
 * the pictures show stands in the tables too.
 */
import { differencesInWords, exactnessInWords, exceptionsInWords, noDifference } from './exactness.ts';
import { STYLE } from './page-style.ts';
import { columnInWords, failureColumns, requestBars, stateBands, waitingLines } from './plots.ts';
import type { Courses, Report } from './report.ts';
import { backendRows, differenceRows, figureRows } from './rows.ts';
import { escapeText } from './svg.ts';
import { count, dayAndTime, grouped, lasting, outcomeInWords, shownValue, timeOfDay } from './words.ts';

export function renderPage(report: Report, courses: Courses): string {
  const { record } = report;
  const title = `What if: ${changesInWords(report).join(', ')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${escapeText(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="brand">Reprise what-if</p>
<h1>${escapeText(title)}</h1>
<p>${dayAndTime(record.from)} to ${timeOfDay(record.to)} (${lasting(record.to - record.from)}), ${count(record.entries, 'entry', 'entries')} of ${escapeText(record.path)}</p>
${exceptionsInWords(report)
  .map((text) => `<p class="beware"><strong>Beware:</strong> ${escapeText(text)}</p>`)
  .join('')}
</header>
${tiles(report)}
${plots(report, courses)}
<section>
<h2>How exact this is</h2>
${list(exactnessInWords(report))}
<h3>Taken for granted</h3>
${list(report.notes)}
</section>
${damage(report)}
<section>
<h2>Figures</h2>
${table(['', 'recorded', 'what if', 'change'], figureRows(report))}
<h3>Backends</h3>
${table(
  [
    '',
    'requests recorded',
    'what if',
    '5xx recorded',
    'what if',
    'failures recorded',
    'what if',
    'unhealthy recorded',
    'what if',
  ],
  backendRows(report),
)}
</section>
${differences(report)}
</main>
</body>
</html>
`;
}

function markLegend({ exactness }: Report): string {
  if (exactness.exactUntil === null) return '';
  return ' Left of the dashed line the answer is exact, right of it an estimate.';
}

function changesInWords({ config }: Report): string[] {
  if (config.changed.length === 0) return ['the config stays as it was'];
  return config.changed.map(
    ({ key, before, after }) => `${key} ${shownValue(before)} → ${shownValue(after)}`,
  );
}

function plots(report: Report, courses: Courses): string {
  return `<section>
<h2>States of the backends</h2>
<p class="legend"><span class="key state-healthy"></span>healthy <span class="key state-unhealthy"></span>unhealthy <span class="key state-ejected"></span>ejected <span class="key state-draining"></span>draining or drained. The upper band is the record, the lower one what if.${markLegend(report)}</p>
${stateBands(report)}
</section>
<section>
<h2>Requests of each backend</h2>
<p class="legend"><span class="key before"></span>recorded <span class="key after"></span>what if <span class="key bad"></span>of them answered 5xx or failed</p>
${requestBars(report)}
</section>
<section>
<h2>Waiting</h2>
<p class="legend"><span class="key before"></span>recorded <span class="key after"></span>what if: most requests waiting at a time, in each ${columnInWords(report)}</p>
${waitingLines(report, courses)}
</section>
<section>
<h2>Failures that clients saw</h2>
<p class="legend"><span class="key rejected"></span>rejected <span class="key bad"></span>answered 5xx by a backend or broken off, in each ${columnInWords(report)}</p>
${failureColumns(report, courses)}
</section>`;
}

/** The figures that are asked for first. */
function tiles({ before, after }: Report): string {
  const tile = (name: string, one: number, other: number, show: (value: number) => string) => {
    const direction = one === other ? 'same' : other < one ? 'less' : 'more';
    return (
      `<div class="tile"><dt>${name}</dt><dd><span class="was">${show(one)}</span> ` +
      `<span class="arrow" aria-label="becomes">→</span> <strong class="${direction}">${show(other)}</strong></dd></div>`
    );
  };
  const failed = ({ errors, broken, rejected }: Report['before']) => errors + broken + rejected;
  const unhealthy = ({ backends }: Report['before']) =>
    backends.reduce((total, { unhealthyMs }) => total + unhealthyMs, 0);
  return `<dl class="tiles">${[
    tile('Served', before.served, after.served, grouped),
    tile('Failed or rejected', failed(before), failed(after), grouped),
    tile('Waited', before.waits.count, after.waits.count, grouped),
    tile('Wait, p99', before.waits.p99Ms ?? 0, after.waits.p99Ms ?? 0, lasting),
    tile('Backends unhealthy', unhealthy(before), unhealthy(after), lasting),
  ].join('')}</dl>`;
}

function differences(report: Report): string {
  const { differences: found, requests } = report;
  if (found.total === 0 && requests.changed === 0) {
    return `<section><h2>Differences</h2><p>${noDifference(report)}</p></section>`;
  }
  const transitions = requests.transitions.map(({ before, after, count: number }) => [
    before === after
      ? `${outcomeInWords(before)}, by another backend`
      : `${outcomeInWords(before)} → ${outcomeInWords(after)}`,
    grouped(number),
  ]);
  return `<section>
<h2>Decisions that differ</h2>
<p>${differencesInWords(report)}</p>
${found.total === 0 ? '' : table(['entry', 'time', 'what happened', 'recorded', 'what if'], differenceRows(report), 'words')}
<h2>Requests that fare otherwise</h2>
${table(['', 'requests'], transitions)}
</section>`;
}

function damage({ damage: found }: Report): string {
  if (found.length === 0) return '';
  const items = found.map(
    ({ segment, line, problem, readable }) =>
      `${segment}, line ${line}: ${problem}; can be read: ${readable}`,
  );
  return `<section class="damage"><h2>The log is damaged</h2><p>What could be read was used.</p>${list(items)}</section>`;
}

function list(texts: readonly string[]): string {
  return `<ul>${texts.map((text) => `<li>${escapeText(text)}</li>`).join('')}</ul>`;
}

/** @param kind `numbers`: all but the first column are flush right */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  kind: 'numbers' | 'words' = 'numbers',
): string {
  const heading = head.map((cell) => `<th scope="col">${escapeText(cell)}</th>`).join('');
  const body = rows.map((row) => {
    const [first = '', ...others] = row;
    const indent = first.length - first.trimStart().length;
    const name = `<th scope="row"${indent > 0 ? ` class="indent-${indent}"` : ''}>${escapeText(first.trim())}</th>`;
    return `<tr>${name}${others.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`;
  });
  return (
    `<div class="scroll"><table class="${kind}"><thead><tr>${heading}</tr></thead>` +
    `<tbody>${body.join('')}</tbody></table></div>`
  );
}
