import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../operator/src/api/object.ts';
import { instancesOf } from '../../../operator/src/log-collector/instance.ts';
import { streamOf } from '../../../operator/src/log-collector/stream.ts';

function pod(status: object, labels: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: 'orders-1', labels }, status };
}
const container = (fields: object) => pod({ containerStatuses: [{ name: 'orders', ...fields }] });
const runs = (of: KubeObject) => instancesOf(of).map(({ id, previous, endedAt }) => [id, previous, endedAt?.toJSON()]);

const finishedAt = '2026-01-01T00:00:07Z';
const ended = (containerID: string) => ({ terminated: { containerID, finishedAt } });
const at = '2026-01-01T00:00:07.000Z';

describe('the runs of a container whose log can be had', () => {
  it('are none before it has begun', () => {
    expect(runs(pod({}))).toEqual([]);
    expect(runs(container({ state: { waiting: { reason: 'ContainerCreating' } } }))).toEqual([]);
  });

  it('are the one that runs, and the one before it first', () => {
    expect(runs(container({ containerID: 'c1', state: { running: {} } }))).toEqual([['c1', false, undefined]]);
    expect(runs(container({ containerID: 'c2', state: { running: {} }, lastState: ended('c1') }))).toEqual([
      ['c1', true, at],
      ['c2', false, undefined],
    ]);
  });

  it('are the last two when it ended again', () => {
    expect(runs(container({ containerID: 'c2', state: ended('c2'), lastState: ended('c1') }))).toEqual([
      ['c1', true, at],
      ['c2', false, at],
    ]);
  });

  it('are the last one while it waits for the next, and it is not called the previous one', () => {
    const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
    expect(runs(container({ containerID: 'c1', state: waiting, lastState: ended('c1') }))).toEqual([['c1', false, at]]);
  });

  it('are those of init containers too, before the others', () => {
    const state = { running: {} };
    const both = pod({
      containerStatuses: [{ name: 'orders', containerID: 'c2', state }],
      initContainerStatuses: [{ name: 'migrate', containerID: 'c1', state: ended('c1') }],
    });
    expect(instancesOf(both).map(({ container: name }) => name)).toEqual(['migrate', 'orders']);
  });
});

describe('the stream of a container', () => {
  const labels = { 'microservice-platform.io/microservice': 'orders' };

  it('names the container only where it is not the one of the service', () => {
    expect(streamOf(pod({}, labels), 'orders')).toEqual({ namespace: 'shop', service: 'orders', pod: 'orders-1' });
    expect(streamOf(pod({}, labels), 'proxy')).toEqual({
      namespace: 'shop',
      service: 'orders',
      pod: 'orders-1',
      container: 'proxy',
    });
  });
});
