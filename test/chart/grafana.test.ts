import { describe, expect, it } from 'vitest';
import { find, render, type Wire } from './rendered.ts';

/** The environment of Grafana's container; a variable from a Secret as `name/key`. */
function environment(values: object = {}): Record<string, string> {
  const [container] = find(render(values), 'Deployment', 'grafana').spec.template.spec.containers;
  return Object.fromEntries(
    container.env.map(({ name, value, valueFrom: { secretKeyRef: from } = {} }: Wire) => [
      name,
      from ? `${from.name}/${from.key}` : value,
    ]),
  );
}

describe('the Grafana of the chart', () => {
  it('lets everybody look and nobody change anything, and has no administrator, by default', () => {
    expect(environment()).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
    });
  });

  it('has the administrator of the Secret that is named, and a login then', () => {
    const env = environment({ grafana: { anonymous: false, adminSecret: 'who' } });
    expect(env).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'false',
      GF_SECURITY_ADMIN_USER: 'who/username',
      GF_SECURITY_ADMIN_PASSWORD: 'who/password',
    });
    expect(Object.keys(env)).not.toContain('GF_AUTH_DISABLE_LOGIN_FORM');
  });

  it('is refused where nobody could open it, with what to do', () => {
    expect(() => render({ grafana: { anonymous: false } })).toThrow(/nobody could open Grafana.*adminSecret/s);
  });

  it('asks nobody outside of the cluster for anything', () => {
    const off = ['ANALYTICS_REPORTING_ENABLED', 'ANALYTICS_CHECK_FOR_UPDATES', 'ANALYTICS_CHECK_FOR_PLUGIN_UPDATES'];
    const alsoOff = ['ANALYTICS_ENABLED', 'NEWS_NEWS_FEED_ENABLED', 'SNAPSHOTS_EXTERNAL_ENABLED'];
    const on = ['SECURITY_DISABLE_GRAVATAR', 'PLUGINS_PREINSTALL_DISABLED', 'PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED'];
    const env = environment();
    for (const name of [...off, ...alsoOff]) expect([name, env[`GF_${name}`]]).toEqual([name, 'false']);
    for (const name of on) expect([name, env[`GF_${name}`]]).toEqual([name, 'true']);
  });
});
