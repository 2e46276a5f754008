import { type ConfigSchema, readSetting, type Setting } from './config.ts';
import type { ConfigLayers } from './config-layers.ts';

export interface PrintedSetting {
  /** As the service takes it at start; null when there is none. Of a secret, only that there is one. */
  readonly value: unknown;
  /** A source's name, or `default`; null when it is not set and has to be. */
  readonly origin: string | null;
  /** What is wrong with it, so that the service would not start. */
  readonly fault?: string;
}

/** The effective configuration, by the names of the variables. */
export function effectiveConfig(layers: ConfigLayers, schema: ConfigSchema): Readonly<Record<string, PrintedSetting>> {
  return Object.fromEntries(Object.values(schema).map((setting) => [setting.variable, printed(layers, setting)]));
}

function printed(layers: ConfigLayers, setting: Setting<unknown>): PrintedSetting {
  const text = layers.textOf(setting.variable);
  const origin = layers.originOf(setting.variable) ?? ('fallback' in setting ? 'default' : null);
  try {
    return { value: shown(setting, readSetting(text, setting)), origin };
  } catch (error) {
    return { value: shown(setting, text), origin, fault: error instanceof Error ? error.message : String(error) };
  }
}

/** What of a value may be seen: nothing of a secret, or of an address that holds a password. */
export function shown({ secret }: Setting<unknown>, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const holdsPassword = typeof value === 'string' && /\/\/[^/]*@/.test(value);
  return secret || holdsPassword ? '(hidden)' : value;
}
