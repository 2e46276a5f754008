import { describe, expect, it } from 'vitest';
import { baseConfig, integer, readConfig } from '../../../services/common/src/config/config.ts';
import { configLayers } from '../../../services/common/src/config/config-layers.ts';
import { listeners } from '../../../services/common/src/config/listeners.ts';
import { type LiveHandlers, liveSettings } from '../../../services/common/src/config/live-settings.ts';
import { service } from '../../../services/common/src/serving/service.ts';

const schema = { ...baseConfig, limit: integer('LIMIT', { min: 0, max: 100 }, 10) } as const;

/** A service that read `texts`, and a source by hand that says something else from time to time. */
function following(texts: Readonly<Record<string, string>>, handlers: LiveHandlers<typeof schema>, now = texts) {
  const values = new Map(Object.entries(now));
  const changes = listeners<readonly string[]>();
  const layers = configLayers([
    {
      name: 'by hand',
      has: (key) => values.has(key),
      get: (key) => values.get(key) ?? '',
      watch: changes.add,
      close: async () => undefined,
    },
  ]);
  const app = service({ name: 'test', version: '0', logLevel: 'error', checks: {} });
  const end = liveSettings(app, { schema, layers, texts, values: readConfig(texts, schema), handlers });
  const set = (key: string, value: string) => {
    values.set(key, value);
    changes.tell([key]);
  };
  const counted = async (outcome: string) => {
    const metric = await app.metrics.registry.getSingleMetric('config_changes_total')?.get();
    return metric?.values.find(({ labels }) => labels.outcome === outcome)?.value;
  };
  return { set, end, counted };
}

describe('a setting that may change while a service runs', () => {
  it('changes although it did so between the start of the service and now', () => {
    const limits: number[] = [];
    following({ LIMIT: '5' }, { limit: (value) => limits.push(value) }, { LIMIT: '7' });
    expect(limits).toEqual([7]);
  });

  it('changes back to what it was', () => {
    const limits: number[] = [];
    const { set } = following({ LIMIT: '5' }, { limit: (value) => limits.push(value) });
    for (const limit of ['7', '7', '5', '6']) set('LIMIT', limit);
    expect(limits).toEqual([7, 5, 6]);
  });

  it('is refused once when its text is no value, however often that is told', async () => {
    const { set, counted } = following({ LIMIT: '5' }, { limit: () => undefined });
    for (const limit of ['many', 'many', '5', 'few']) set('LIMIT', limit);
    expect(await counted('refused')).toBe(2);
  });

  it('is refused when it cannot be taken on, and the other settings change still', async () => {
    const levels: string[] = [];
    const { set, counted } = following(
      {},
      {
        limit: () => {
          throw new Error('is too much today');
        },
        logLevel: (level) => levels.push(level),
      },
    );
    set('LIMIT', '90');
    set('LOG_LEVEL', 'warn');
    expect([levels, await counted('refused'), await counted('applied')]).toEqual([['warn'], 1, 1]);
  });

  it('changes no more once that has ended', () => {
    const limits: number[] = [];
    const { set, end } = following({ LIMIT: '5' }, { limit: (value) => limits.push(value) });
    end();
    set('LIMIT', '7');
    expect(limits).toEqual([]);
  });
});
