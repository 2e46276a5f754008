import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../operator/src/config.ts';

const inPod = {
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  OPERATOR_POD_NAME: 'operator-0',
};

describe('the operator’s configuration', () => {
  test('in a pod needs nothing but what Kubernetes says', () => {
    expect(readConfig(inPod)).toEqual({
      httpPort: 8080,
      logLevel: 'info',
      concurrency: 32,
      kubeconfig: undefined,
      apiServer: { host: '10.96.0.1', port: '443' },
      instance: 'operator-0',
      lease: undefined,
      auditSeconds: 300,
      tracesTo: undefined,
      collector: undefined,
      prometheus: undefined,
      budgetSeconds: 60,
      pages: undefined,
      namespaces: undefined,
      serviceTypes: ['ClusterIP'],
      rolloutOnSecretChange: false,
      contentKey: undefined,
    });
  });

  test('knows the lease, and under which name to hold it', () => {
    const env = { ...inPod, OPERATOR_LEASE: 'operator', OPERATOR_NAMESPACE: 'platform' };
    expect(readConfig(env)).toMatchObject({
      lease: { namespace: 'platform', name: 'operator' },
      instance: 'operator-0',
    });
    expect(() => readConfig({ ...inPod, OPERATOR_LEASE: 'operator' })).toThrow(
      'OPERATOR_NAMESPACE must name the namespace of the operator, because OPERATOR_LEASE is set',
    );
  });

  test('outside of a pod makes itself a name that no other process has', () => {
    const { OPERATOR_POD_NAME: _, ...env } = inPod;
    expect(readConfig(env).instance).not.toBe(readConfig(env).instance);
  });

  test('sends traces to an address of a web server, and nowhere else', () => {
    const to = (OTEL_EXPORTER_OTLP_ENDPOINT: string) => readConfig({ ...inPod, OTEL_EXPORTER_OTLP_ENDPOINT });
    expect(to('http://jaeger.platform:4318').tracesTo).toBe('http://jaeger.platform:4318');
    expect(() => to('jaeger:4318')).toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an address that starts with http:// or https://, not "jaeger:4318"',
    );
  });

  test('knows where traces, budgets and pages are, each only where it is named', () => {
    const env = {
      OPERATOR_OTLP_ENDPOINT: 'http://jaeger.platform.svc:4318',
      OPERATOR_PROMETHEUS_URL: 'http://prometheus.platform.svc:9090/prometheus/',
      OPERATOR_BUDGET_SECONDS: '5',
      OPERATOR_GRAFANA_URL: 'https://grafana.example.com/',
      OPERATOR_GRAFANA_SOURCES: 'loki, jaeger',
    };
    expect(readConfig({ ...inPod, ...env })).toMatchObject({
      collector: 'http://jaeger.platform.svc:4318',
      prometheus: 'http://prometheus.platform.svc:9090/prometheus/',
      budgetSeconds: 5,
      pages: { grafana: 'https://grafana.example.com/', sources: ['jaeger', 'loki'] },
    });
  });

  test('names every address that is none, and every data source that nobody knows', () => {
    const env = {
      OPERATOR_OTLP_ENDPOINT: 'jaeger:4318',
      OPERATOR_PROMETHEUS_URL: 'prometheus',
      OPERATOR_BUDGET_SECONDS: '0',
      OPERATOR_GRAFANA_URL: 'http://grafana/?orgId=1',
      OPERATOR_GRAFANA_SOURCES: 'jaeger,tempo',
    };
    const read = () => readConfig({ ...inPod, ...env });
    for (const name of Object.keys(env)) expect(read).toThrow(`${name} must be `);
  });

  test('watches the namespaces that are named, each once', () => {
    expect(readConfig({ ...inPod, OPERATOR_WATCH_NAMESPACES: 'shop, team-a,shop' }).namespaces).toEqual([
      'shop',
      'team-a',
    ]);
    expect(() => readConfig({ ...inPod, OPERATOR_WATCH_NAMESPACES: 'shop,,Team' })).toThrow(
      'OPERATOR_WATCH_NAMESPACES must be a list of names of namespaces, not "shop,,Team"',
    );
  });

  test('takes what the environment says', () => {
    const env = {
      KUBECONFIG: '/k',
      OPERATOR_HTTP_PORT: '0',
      OPERATOR_LOG_LEVEL: 'debug',
      OPERATOR_CONCURRENCY: '4',
      OPERATOR_SERVICE_TYPES: 'ClusterIP,NodePort',
      OPERATOR_ROLLOUT_ON_SECRET_CHANGE: 'true',
      OPERATOR_NAMESPACE: 'platform',
      OPERATOR_CONTENT_KEY_SECRET: 'operator-content-key',
    };

    expect(readConfig(env)).toMatchObject({
      kubeconfig: '/k',
      httpPort: 0,
      logLevel: 'debug',
      concurrency: 4,
      serviceTypes: ['ClusterIP', 'NodePort'],
      rolloutOnSecretChange: true,
      contentKey: { namespace: 'platform', name: 'operator-content-key' },
    });
  });

  test.each([
    ['LoadBalancer', ['ClusterIP', 'LoadBalancer']],
    ['LoadBalancer, NodePort', ['ClusterIP', 'NodePort', 'LoadBalancer']],
    ['', ['ClusterIP']],
  ])('lets Microservices ask for ClusterIP whatever other types are allowed: %j', (text, types) => {
    expect(readConfig({ ...inPod, OPERATOR_SERVICE_TYPES: text }).serviceTypes).toEqual(types);
  });

  test.each(['ExternalName', 'ClusterIP,nodeport', 'ClusterIP,'])('refuses %j for types of Services', (text) => {
    expect(() => readConfig({ ...inPod, OPERATOR_SERVICE_TYPES: text })).toThrow(
      `OPERATOR_SERVICE_TYPES must be a list of ClusterIP, NodePort, LoadBalancer, not "${text}"`,
    );
  });

  test('asks for a place for its key only where Secrets are read, and names what is missing of it', () => {
    const place = { OPERATOR_NAMESPACE: 'platform', OPERATOR_CONTENT_KEY_SECRET: 'key' };
    const read = (value: string, env: object = {}) =>
      readConfig({ ...inPod, ...env, OPERATOR_ROLLOUT_ON_SECRET_CHANGE: value });

    expect(read('false', place)).toMatchObject({ rolloutOnSecretChange: false, contentKey: undefined });
    expect(() => read('yes', place)).toThrow('OPERATOR_ROLLOUT_ON_SECRET_CHANGE must be true or false, not "yes"');
    expect(() => read('true')).toThrow(
      'OPERATOR_NAMESPACE must name the namespace of the operator, because OPERATOR_ROLLOUT_ON_SECRET_CHANGE is true; ' +
        'OPERATOR_CONTENT_KEY_SECRET must name the Secret for the key of the digests of Secrets, ' +
        'because OPERATOR_ROLLOUT_ON_SECRET_CHANGE is true',
    );
  });

  test('names every fault at once, and never replaces a bad value by a default', () => {
    const read = () => readConfig({ OPERATOR_HTTP_PORT: '80a', OPERATOR_LOG_LEVEL: 'loud', OPERATOR_CONCURRENCY: '0' });

    expect(read).toThrow(ConfigError);
    expect(read).toThrow(
      'OPERATOR_LOG_LEVEL must be one of debug, info, warn, error, not "loud"; ' +
        'KUBECONFIG must name a kubeconfig file, because this process is not a pod in a cluster; ' +
        'OPERATOR_HTTP_PORT must be an integer from 0 to 65535, not "80a"; ' +
        'OPERATOR_CONCURRENCY must be an integer from 1 to 256, not "0"',
    );
  });
});
