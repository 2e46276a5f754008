import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../operator/src/log-collector/config.ts';

const inPod = {
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  LOG_COLLECTOR_LOKI_URL: 'http://loki:3100',
};

describe('the configuration of the log collector', () => {
  it('in a pod needs nothing but the address of Loki', () => {
    expect(readConfig(inPod)).toEqual({
      httpPort: 8080,
      logLevel: 'info',
      loki: 'http://loki:3100',
      namespaces: undefined,
      lookbackMs: 900_000,
      backlogBytes: 24 * 1024 * 1024,
      kubeconfig: undefined,
      apiServer: { host: '10.96.0.1', port: '443' },
    });
  });

  it('names every fault at once', () => {
    const env = {
      LOG_COLLECTOR_LOG_LEVEL: 'loud',
      LOG_COLLECTOR_LOKI_URL: 'loki:3100',
      LOG_COLLECTOR_NAMESPACES: 'Shop',
      LOG_COLLECTOR_LOOKBACK_SECONDS: '4000',
    };
    expect(() => readConfig(env)).toThrow(
      'LOG_COLLECTOR_LOG_LEVEL must be one of debug, info, warn, error, not "loud"; ' +
        'KUBECONFIG must name a kubeconfig file, because this process is not a pod in a cluster; ' +
        'LOG_COLLECTOR_LOKI_URL must be an address that starts with http:// or https://, not "loki:3100"; ' +
        'LOG_COLLECTOR_NAMESPACES must be a list of names of namespaces, not "Shop"; ' +
        'LOG_COLLECTOR_LOOKBACK_SECONDS must be an integer from 1 to 3000, not "4000"',
    );
    expect(() => readConfig({ ...inPod, LOG_COLLECTOR_LOKI_URL: '' })).toThrow(
      'LOG_COLLECTOR_LOKI_URL must be the address of Loki',
    );
  });
});
