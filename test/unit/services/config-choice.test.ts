import { describe, expect, it } from 'vitest';
import { chosenSources } from '../../../services/common/src/config/config-choice.ts';

describe('the source of settings', () => {
  it('is the environment, unless another is chosen', async () => {
    const sources = await chosenSources({ LOG_LEVEL: 'debug' });
    expect(sources.map(({ name }) => name)).toEqual(['environment']);
    expect(sources[0]?.get('LOG_LEVEL')).toBe('debug');
  });

  it.each([
    [{ CONFIG_SOURCE: 'consul' }, 'CONFIG_SOURCE is "consul", not one of environment, files, etcd'],
    [{ CONFIG_SOURCE: 'files' }, 'CONFIG_DIR is not set'],
    [{ CONFIG_SOURCE: 'etcd' }, 'CONFIG_ETCD_ENDPOINTS is not set'],
  ])('is refused with what is missing: %j', async (env, fault) => {
    await expect(chosenSources(env)).rejects.toThrow(fault);
  });
});
