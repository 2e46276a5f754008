import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { rules } from '../../dashboards/contract/rules.ts';
import { knownLabels } from '../../dashboards/contract/series.ts';
import { readPromql } from '../../dashboards/promql.ts';
import { find, render, type Wire } from './rendered.ts';

const files: Readonly<Record<string, string>> = find(render(), 'ConfigMap', 'prometheus-alerts').data;
const all: readonly Wire[] = Object.values(files)
  .flatMap((text) => parse(text).groups)
  .flatMap((group: Wire) => group.rules);
const named = (rule: Wire): [string, Wire] => [rule.alert ?? rule.record, rule];
const alerts = all.filter(({ alert }) => alert !== undefined).map(named);
const recorded = all.filter(({ record }) => record !== undefined).map(named);
const reading = ({ expr }: Wire) => readPromql(String(expr), knownLabels);

/** What a rule's series have: what its expression keeps, and what the rule adds. */
const labelsOf = (rule: Wire) => new Set([...reading(rule).labels, ...Object.keys(rule.labels ?? {})]);

describe('the rules of the chart', () => {
  it.each(all.map(named))('%s asks by metrics and labels that somebody has', (_, rule) => {
    expect(reading(rule).faults).toEqual([]);
  });

  it.each(alerts)('%s tells of labels that it has', (_, rule) => {
    const told = [...JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    const has = labelsOf(rule);
    expect(told.filter((label) => !has.has(label))).toEqual([]);
    expect([...has].filter((label) => !knownLabels('ALERTS')?.has(label))).toEqual([]);
  });

  it('record what the contract says of them, with those labels, and nothing else', () => {
    const declared = rules.filter(({ name }) => name.includes(':'));
    expect([...new Set(recorded.map(([name]) => name))].sort()).toEqual(declared.map(({ name }) => name).sort());
    for (const [name, rule] of recorded) {
      const labels = declared.find((it) => it.name === name)?.labels ?? [];
      expect([name, ...[...labelsOf(rule)].sort()]).toEqual([name, ...[...labels].sort()]);
    }
  });
});
