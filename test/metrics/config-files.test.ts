/** The dashboard and the alert rules in `config/`: all they ask for exists in a real scrape, label by label. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { scrape, seriesOf } from './support.ts';

const CONFIG = join(import.meta.dirname, '../../config');
const textOf = (name: string) => readFileSync(join(CONFIG, name), 'utf8');

type Panel = { title: string; targets?: { expr: string }[] };
type Dashboard = {
  panels: Panel[];
  annotations: { list: { expr: string }[] };
  templating: { list: { definition?: string }[] };
};

function dashboardExpressions(): string[] {
  const { panels, annotations, templating } = JSON.parse(textOf('grafana-dashboard.json')) as Dashboard;
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...annotations.list.map(({ expr }) => expr),
    ...templating.list.flatMap(({ definition }) => definition ?? []),
  ];
}

/** The rules are simple YAML: an expression is on the line of its key, or indented below it. */
function alertExpressions(): string[] {
  return [...textOf('prometheus-alerts.yml').matchAll(/^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/gm)].map(
    ([, block, line]) => block ?? line ?? '',
  );
}

type Selector = { readonly metric: string; readonly matchers: [label: string, value: string][] };

/** Metrics of ours with the label values they are asked for; variables and open patterns left out. */
function selectorsOf(expression: string): Selector[] {
  return [...expression.matchAll(/\b((?:reprise|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', body = '']) => ({
      metric,
      matchers: [...body.matchAll(/(\w+)\s*(?:=|!=|=~|!~)\s*"([^"]*)"/g)].flatMap(
        ([, label = '', values = '']) =>
          values
            .split('|')
            .filter((value) => /^\w+$/.test(value))
            .map((value): [string, string] => [label, value]),
      ),
    }),
  );
}

describe('what config/ asks Prometheus for', async () => {
  await using fleet = await startFleet(1);
  await using gateway = await startTestGateway({ backends: fleet.mocks });
  const names = [...seriesOf(await scrape(gateway.adminUrl)).keys()];
  const missing = (expressions: readonly string[]) =>
    expressions.flatMap(selectorsOf).flatMap(({ metric, matchers }) => {
      const series = names.filter((name) => name === metric || name.startsWith(`${metric}{`));
      if (series.length === 0) return [`there is no ${metric}`];
      return matchers
        .filter(([label, value]) => !series.some((name) => name.includes(`${label}="${value}"`)))
        .map(([label, value]) => `no ${metric} has ${label}="${value}"`);
    });

  it('is all there, in the alert rules', () => {
    const expressions = alertExpressions();
    assert.equal(expressions.length, textOf('prometheus-alerts.yml').match(/- alert: /g)?.length);
    assert.deepEqual(missing(expressions), []);
  });

  it('is all there, in the dashboard', () => {
    const expressions = dashboardExpressions();
    assert.ok(expressions.length > 40, `${expressions.length} expressions`);
    assert.deepEqual(missing(expressions), []);
  });

  it('would be found missing', () => {
    const wrong = ['rate(reprise_nothing_total[5m])', 'reprise_backend_state{state=~"healthy|sick"} == 1'];
    assert.deepEqual(missing(wrong), [
      'there is no reprise_nothing_total',
      'no reprise_backend_state has state="sick"',
    ]);
  });
});
