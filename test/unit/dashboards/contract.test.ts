import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serviceNames } from '../../../cluster/image-list.ts';
import { emitters, lineKeys, targetLabels } from '../../../dashboards/contract/platform.ts';
import { rules } from '../../../dashboards/contract/rules.ts';
import { seriesOf } from '../../../dashboards/contract/series.ts';

const repository = join(import.meta.dirname, '../../..');
const twice = (names: readonly string[]) => names.filter((name, at) => names.indexOf(name) !== at);

/** Words for what people entrusted to us, and for what opens doors. */
const private_ = /user|mail|passw|token|secret|cookie|authorization|phone|(?<!server\.)address|ip$/i;
/** What only sounds like it. */
const allowed = [
  'address', // of this very service
  'secret', // the name of the Secret that holds the key of digests
  'process_cpu_user_seconds_total',
  'user_agent.original', // the name of a program
];

describe('the contract of telemetry', () => {
  it('speaks of every service, and of each once', () => {
    const services = emitters.filter(({ job }) => job === 'microservices').map(({ name }) => name);
    expect([...services].sort()).toEqual([...serviceNames, 'loadgen'].sort());
    expect(twice(emitters.map(({ name }) => name))).toEqual([]);
  });

  it.each(emitters.map((emitter) => [emitter.name, emitter] as const))('of %s names nothing twice', (_, emitter) => {
    expect(twice(emitter.metrics.flatMap(seriesOf))).toEqual([]);
    expect(twice(emitter.lines.map(({ message, level }) => `${level} ${message}`))).toEqual([]);
  });

  it('has one meaning for a metric, whoever has it', () => {
    const meanings = new Map(emitters.flatMap(({ metrics }) => metrics).map((metric) => [metric.name, metric]));
    for (const { metrics } of emitters) for (const metric of metrics) expect(meanings.get(metric.name)).toEqual(metric);
  });

  it('names metrics as Prometheus wants them', () => {
    const ours = emitters.flatMap(({ metrics }) => metrics).filter(({ name }) => !/^(nodejs|process)_/.test(name));
    for (const { name, type } of ours) {
      expect(name).toMatch(/^[a-z][a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });

  it('names nobody, and nothing that opens a door: no attribute, no label, no key of a log line', () => {
    const names = emitters.flatMap(({ keys, metrics, spans, lines }) => [
      ...keys,
      ...metrics.flatMap(({ name, labels }) => [name, ...labels]),
      ...spans.flatMap(({ always, sometimes = [] }) => [...always, ...sometimes]),
      ...lines.flatMap((line) => [...line.keys, ...(line.sometimes ?? [])]),
    ]);
    const all = [...names, ...rules.flatMap(({ labels }) => labels), ...targetLabels, ...lineKeys.sometimes];
    expect(all.length).toBeGreaterThan(500);
    expect(all.filter((name) => private_.test(name) && !allowed.includes(name))).toEqual([]);
  });

  it('leads only to services that there are, and that send spans', () => {
    for (const { reaches } of emitters) for (const name of reaches) expect(serviceNames).toContain(name);
  });

  it('has every message that the programs log', () => {
    const declared = new Set(emitters.flatMap(({ lines }) => lines.map(({ message }) => message)));
    const sources = ['services/*/src/**/*.ts', 'operator/src/**/*.ts'].flatMap((pattern) =>
      globSync(pattern, { cwd: repository }),
    );
    const logged = sources.flatMap((file) => messagesIn(readFileSync(join(repository, file), 'utf8')));
    expect(logged.length).toBeGreaterThan(60);
    expect(logged.filter((message) => !declared.has(message))).toEqual([]);
  });
});

/** The texts of calls such as `log.warn({ reason }, 'text')`, where they are written out. */
function messagesIn(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:log\??(?:\.(?:debug|info|warn|error)|\[[^\]]*\])|complain)\(/g)].flatMap(
    ({ index, 0: call }) => {
      const rest = insideOf(source.slice(index + call.length));
      const found = /(?:^|,)\s*'((?:[^'\\]|\\.)*)',?\s*$/.exec(rest);
      return found?.[1] === undefined ? [] : [found[1]];
    },
  );
}

/** What stands before the parenthesis that closes the call. */
function insideOf(text: string): string {
  let depth = 1;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(0, at);
  }
  return text;
}
