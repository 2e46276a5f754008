import { expect, it } from 'vitest';
import { linksStatus, type Pages } from '../../../operator/src/reconcile/links.ts';
import { microservice } from '../../support/microservice.ts';

const traced = microservice({ spec: { observability: { tracing: {} } } });
const grafana = 'https://grafana.example.com/';
const dashboard = 'https://grafana.example.com/d/microservice?var-namespace=shop&var-service=orders';
const all: Pages = { grafana, sources: ['prometheus', 'jaeger', 'loki'] };

it('a Microservice has no links where nobody knows a Grafana', () => {
  expect(linksStatus(traced, undefined)).toEqual({});
});

it('a Microservice has links only to pages that are there', () => {
  expect(linksStatus(traced, { grafana, sources: [] })).toEqual({});
  expect(linksStatus(traced, { grafana, sources: ['prometheus'] })).toEqual({ links: { dashboard } });
  expect(Object.keys(linksStatus(microservice(), all).links ?? {})).toEqual(['dashboard', 'logs']);
  expect(Object.keys(linksStatus(traced, all).links ?? {})).toEqual(['dashboard', 'traces', 'logs']);
});

it('the links to traces and logs ask for those of this Microservice, and of no other', () => {
  const { traces = '', logs = '' } = linksStatus(traced, all).links ?? {};
  const panes = (link: string) => JSON.parse(new URL(link).searchParams.get('panes') ?? '');
  expect(panes(traces).a).toMatchObject({
    datasource: 'jaeger',
    queries: [{ queryType: 'search', service: 'orders' }],
  });
  expect(panes(logs).a).toMatchObject({
    datasource: 'loki',
    queries: [{ expr: '{namespace="shop",service="orders"}' }],
  });
});

it('the links fit into the status, however long the names and the address are', () => {
  const name = 'o'.repeat(63);
  const longest = microservice({
    metadata: { name, namespace: 'n'.repeat(63) },
    spec: { observability: { tracing: {} } },
  });
  const { links = {} } = linksStatus(longest, { ...all, grafana: `http://${'g'.repeat(249)}` });
  expect(links.dashboard?.length).toBeLessThan(1024);
  expect(Math.max(links.traces?.length ?? 0, links.logs?.length ?? 0)).toBeLessThan(2048);
});
