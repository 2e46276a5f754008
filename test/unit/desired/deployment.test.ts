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

  it('meets Pod Security restricted and mounts no token, whatever the spec', () => {
    fc.assert(
      fc.property(validSpecs, (spec) => {
        expect(podOf(spec)).toMatchObject({
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        });
        expect(containerOf(spec).securityContext).toEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        });
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
    expect(podOf().volumes).toEqual([{ name: 'tmp', emptyDir: {} }]);
    expect(containerOf().volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
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
