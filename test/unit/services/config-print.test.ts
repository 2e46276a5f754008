import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ConfigSchema, integer, secret, text } from '../../../services/common/src/config/config.ts';
import { configEnvironment } from '../../../services/common/src/config/config-environment.ts';
import { configLayers } from '../../../services/common/src/config/config-layers.ts';
import { effectiveConfig } from '../../../services/common/src/config/config-print.ts';

const layersOf = (...envs: readonly NodeJS.ProcessEnv[]) =>
  configLayers(envs.map((env, at) => ({ ...configEnvironment(env), name: `source ${at}` })));

/** The schemas that the services export, by the paths of their files. */
const services = new URL('../../../services/', import.meta.url);
const schemas = await Promise.all(
  globSync('*/src/**/{config,*-config,config-choice,broker}.ts', { cwd: services }).map(async (path) => {
    const exported: Record<string, unknown> = await import(new URL(path, services).href);
    return Object.entries(exported)
      .filter(([name, value]) => /(Config|Choice)$/.test(name) && typeof value === 'object')
      .map(([name, schema]) => [`${path}: ${name}`, schema as ConfigSchema] as const);
  }),
);

describe('the effective configuration', () => {
  it('takes each value from the first source that has it, and names that', () => {
    const schema = { level: text('LEVEL', 'info'), port: integer('PORT', { min: 1, max: 9 }, 5), name: text('NAME') };
    const layers = layersOf({ LEVEL: 'debug', UNKNOWN: 'x' }, { LEVEL: 'warn', NAME: 'shop' });
    expect(effectiveConfig(layers, schema)).toEqual({
      LEVEL: { value: 'debug', origin: 'source 0' },
      PORT: { value: 5, origin: 'default' },
      NAME: { value: 'shop', origin: 'source 1' },
    });
  });

  it('says what is wrong, and of a wrong secret no more than that', () => {
    const schema = { port: integer('PORT', { min: 1, max: 9 }), token: secret('TOKEN'), name: text('NAME') };
    expect(effectiveConfig(layersOf({ PORT: '10', TOKEN: ' ' }), schema)).toEqual({
      PORT: { value: '10', origin: 'source 0', fault: 'is "10", not a whole number from 1 to 9' },
      TOKEN: { value: '(hidden)', origin: 'source 0', fault: 'is empty' },
      NAME: { value: null, origin: null, fault: 'is not set' },
    });
  });

  it.each(['http://user:password@host/', 'amqp://user:p%40ss@host', 'postgres://:password@host/db'])(
    'hides the address %s, which holds a password',
    (address) => {
      expect(JSON.stringify(effectiveConfig(layersOf({ URL: address }), { url: text('URL') }))).not.toContain('host');
    },
  );

  it('shows an address that holds none', () => {
    const shown = effectiveConfig(layersOf({ URL: 'http://host/a@b' }), { url: text('URL') });
    expect(shown).toEqual({ URL: { value: 'http://host/a@b', origin: 'source 0' } });
  });

  it('knows every secret of every service', () => {
    const all = schemas.flat();
    expect(all.length).toBeGreaterThanOrEqual(12);
    const settings = all.flatMap(([schema, of]) => Object.values(of).map((setting) => ({ schema, ...setting })));
    const hidden = settings.filter((it) => it.secret).map(({ variable }) => variable);
    expect(settings.filter((it) => /PASSWORD|TOKEN|SECRET|KEY/.test(it.variable) && !it.secret)).toEqual([]);
    expect(new Set(hidden)).toEqual(
      new Set(['DB_PASSWORD', 'REDIS_URL', 'RABBITMQ_PASSWORD', 'FAULTS_TOKEN', 'TOKEN_KEYS']),
    );
  });
});
