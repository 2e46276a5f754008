import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { desiredChildren } from '../../../operator/src/desired/children.ts';
import { microservice } from '../../support/microservice.ts';

interface Made {
  readonly name: string;
  readonly spec: MicroserviceSpec;
  readonly children: readonly string[];
  readonly deployment: { readonly selector: unknown; readonly template: unknown };
}

// What version 0.1.0 makes of these specs. Never to be made anew: another template is other pods in every cluster that is
// upgraded, and another selector a Deployment that cannot be changed at all.
const first: readonly Made[] = JSON.parse(readFileSync(join(import.meta.dirname, 'version-0.1.0.json'), 'utf8'));

describe('an upgrade from 0.1.0, and a way back to it', () => {
  test.each(first)('replaces no pod and loses no child of $name', ({ spec, children, deployment }) => {
    const now = desiredChildren(microservice({ spec }), {
      contentMark: 'mark',
      serviceTypes: ['ClusterIP', 'NodePort', 'LoadBalancer'],
    });
    const found = now.find(({ kind }) => kind === 'Deployment')?.spec;

    expect(now.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(expect.arrayContaining([...children]));
    expect(found).toMatchObject({ selector: deployment.selector });
    expect(found).toHaveProperty('template', deployment.template);
  });
});
