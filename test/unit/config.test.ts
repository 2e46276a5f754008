import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../operator/src/config.ts';

const inPod = {
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  HOSTNAME: 'operator-0',
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
    });
  });

  test('takes what the environment says', () => {
    const env = {
      KUBECONFIG: '/k',
      OPERATOR_HTTP_PORT: '0',
      OPERATOR_LOG_LEVEL: 'debug',
      OPERATOR_CONCURRENCY: '4',
    };

    expect(readConfig(env)).toMatchObject({
      kubeconfig: '/k',
      httpPort: 0,
      logLevel: 'debug',
      concurrency: 4,
    });
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
