import type { V1Container, V1DeploymentSpec, V1PodSpec } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { deployment } from '../../../operator/src/desired/deployment.ts';
import { validSpecs } from '../../support/arbitrary-spec.ts';
import { microservice } from '../../support/microservice.ts';

const specOf = (spec: Partial<MicroserviceSpec> = {}) => deployment(microservice({ spec })).spec as V1DeploymentSpec;
const podOf = (spec: Partial<MicroserviceSpec> = {}) => specOf(spec).template.spec as V1PodSpec;
const containerOf = (spec: Partial<MicroserviceSpec> = {}) => podOf(spec).containers[0] as V1Container;

describe('deployment', () => {
  it('asks for the replicas of the spec', () => {
    expect(specOf({ replicas: 3 }).replicas).toBe(3);
    expect(specOf({ replicas: 0 }).replicas).toBe(0);
  });

  it('leaves the replica count to the autoscaler when one is asked for, and says who sets it', () => {
    const scaled = deployment(microservice({ spec: { replicas: 3, autoscaling: { maxReplicas: 5, cpu: 70 } } }));
    expect(scaled.spec).not.toHaveProperty('replicas');
    expect(scaled.metadata.annotations).toEqual({ 'microservice-platform.io/replicas-set-by': 'autoscaler' });
    expect(deployment(microservice()).metadata.annotations).toEqual({
      'microservice-platform.io/replicas-set-by': 'spec',
    });
  });

  it('selects pods by one frozen label, whatever the spec', () => {
    fc.assert(
      fc.property(validSpecs, (spec) => {
        expect(specOf(spec).selector).toEqual({
          matchLabels: { 'microservice-platform.io/microservice': 'orders' },
        });
      }),
    );
  });

  it('never takes a pod away before its successor is ready', () => {
    expect(specOf().strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
  });

  it('meets Pod Security restricted, and mounts no token unless asked, whatever the spec', () => {
    fc.assert(
      fc.property(validSpecs, (spec) => {
        expect(podOf(spec)).toMatchObject({
          automountServiceAccountToken: spec.serviceAccount?.automountToken ?? false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            seccompProfile: { type: expect.stringMatching(/^(RuntimeDefault|Localhost)$/) },
          },
        });
        for (const { securityContext } of [...(podOf(spec).initContainers ?? []), containerOf(spec)]) {
          expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
          expect(securityContext?.capabilities?.add ?? []).toEqual(expect.not.arrayContaining(['SYS_ADMIN']));
          expect(securityContext?.runAsUser).not.toBe(0);
        }
      }),
    );
  });

  it('leaves the user to the image', () => {
    expect(JSON.stringify(podOf())).not.toContain('runAsUser');
  });

  it('lets a pod finish its work: 5 s until traffic has moved away, 30 s in all', () => {
    expect(podOf().terminationGracePeriodSeconds).toBe(30);
    expect(containerOf().lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } });
  });

  it('has a place to write to', () => {
    expect(podOf().volumes).toEqual([{ name: 'platform-tmp', emptyDir: {} }]);
    expect(containerOf().volumeMounts).toEqual([{ name: 'platform-tmp', mountPath: '/tmp' }]);
  });

  it('leaves /tmp to the volume that is mounted there', () => {
    const spec = {
      volumes: [{ name: 'scratch', emptyDir: {} }],
      volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
    };
    expect(containerOf(spec).volumeMounts).toEqual([{ name: 'scratch', mountPath: '/tmp' }]);
  });

  it('runs as an identity of its own, or as the one that is named', () => {
    expect(podOf().serviceAccountName).toBe('orders');
    expect(podOf({ serviceAccount: { name: 'reader' } }).serviceAccountName).toBe('reader');
  });

  it('is spread over zones and nodes, unless told otherwise', () => {
    const keys = (spec: Partial<MicroserviceSpec>) =>
      podOf(spec).topologySpreadConstraints?.map(({ topologyKey, maxSkew, whenUnsatisfiable }) => [
        topologyKey,
        maxSkew,
        whenUnsatisfiable,
      ]);
    expect(keys({})).toEqual([
      ['topology.kubernetes.io/zone', 1, 'ScheduleAnyway'],
      ['kubernetes.io/hostname', 1, 'ScheduleAnyway'],
    ]);
    const topologySpreadConstraints = [
      { topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' as const, maxSkew: 2 },
    ];
    expect(keys({ scheduling: { topologySpreadConstraints } })).toEqual([['rack', 2, 'DoNotSchedule']]);
    expect(keys({ scheduling: { topologySpreadConstraints: [] } })).toEqual([]);
  });

  it('keeps its own labels, whatever labels pods are given', () => {
    const podLabels = { 'microservice-platform.io/microservice': 'other', team: 'a' };
    expect(specOf({ podLabels }).template.metadata?.labels).toMatchObject({
      'microservice-platform.io/microservice': 'orders',
      team: 'a',
    });
  });

  it('makes other pods of other content, and says nothing where none is used', () => {
    const annotations = (contentMark?: string) =>
      (deployment(microservice(), { contentMark }).spec as V1DeploymentSpec).template.metadata?.annotations;
    expect(annotations()).toBeUndefined();
    expect(annotations('abc')).toEqual({ 'microservice-platform.io/content-mark': 'abc' });
  });

  it('asks for no pods while suspended, whoever sets their number otherwise', () => {
    expect(specOf({ suspend: true, replicas: 3 }).replicas).toBe(0);
    expect(specOf({ suspend: true, autoscaling: { maxReplicas: 5, cpu: 70 } }).replicas).toBe(0);
  });

  it('takes all pods down first where two versions must not run at once', () => {
    expect(specOf({ rollout: { type: 'Recreate' } }).strategy).toEqual({ type: 'Recreate' });
  });

  it('stops at once, with SIGTERM, where no time to drain is asked for', () => {
    expect(containerOf({ shutdown: { drainSeconds: 0 } }).lifecycle).toBeUndefined();
  });

  it('gives config as variables before all other sources, or as files', () => {
    const data = { LOG_LEVEL: 'info' };
    const envFrom = [{ configMapRef: { name: 'shared', onChange: 'None' as const } }];
    expect(containerOf({ config: { data }, envFrom }).envFrom).toEqual([
      { configMapRef: { name: 'orders' } },
      { configMapRef: { name: 'shared' } },
    ]);
    const files = { config: { data, mountPath: '/etc/orders' } };
    expect(containerOf(files).envFrom).toBeUndefined();
    expect(containerOf(files).volumeMounts).toContainEqual({
      name: 'platform-config',
      mountPath: '/etc/orders',
      readOnly: true,
    });
    expect(podOf(files).volumes).toContainEqual({
      name: 'platform-config',
      configMap: { name: 'orders', defaultMode: 0o644 },
    });
  });

  it('has containers before its own in the order given, sidecars among them', () => {
    const { initContainers } = podOf({
      initContainers: [
        { name: 'proxy', image: 'p:1', restartPolicy: 'Always', probes: { startup: { tcpSocket: { port: 15021 } } } },
        { name: 'migrate', image: 'm:1', env: [{ name: 'A', value: 'a' }] },
      ],
    });
    expect(initContainers).toMatchObject([
      { name: 'proxy', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 15021 } } },
      { name: 'migrate', env: [{ name: 'A', value: 'a' }] },
    ]);
    expect(initContainers?.[1]).not.toHaveProperty('restartPolicy');
    expect(initContainers?.[1]).not.toHaveProperty('readinessProbe');
  });

  it('passes on image, command, args, ports and environment', () => {
    const container = containerOf({
      image: 'a:1',
      command: ['/app'],
      args: ['--x'],
      ports: [{ name: 'dns', containerPort: 53, servicePort: 5353, protocol: 'UDP' }],
      env: [
        { name: 'A' },
        { name: 'B', value: 'b' },
        { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      ],
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }],
    });
    expect(container).toMatchObject({
      name: 'orders',
      image: 'a:1',
      command: ['/app'],
      args: ['--x'],
      ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }],
      env: [
        { name: 'A', value: '' },
        { name: 'B', value: 'b' },
        { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'D', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
        { name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      ],
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }],
    });
  });

  it('takes 1 and "1" for the same amount, so that changing one to the other restarts nothing', () => {
    const [number, text] = [1, '1'].map((cpu) => specOf({ resources: { limits: { cpu } } }));
    expect(number).toEqual(text);
  });
});
