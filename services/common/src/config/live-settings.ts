import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge } from 'prom-client';
import { type ConfigOf, type ConfigSchema, readSetting, type Setting } from './config.ts';
import type { ConfigLayers } from './config-layers.ts';
import { shown } from './config-print.ts';

/** What to do with the new value of a setting that may change while the service runs. */
export type LiveHandlers<S extends ConfigSchema> = { readonly [Key in keyof S]?: (value: ConfigOf<S>[Key]) => void };

export interface LiveSettings<S extends ConfigSchema> {
  readonly schema: S;
  readonly layers: ConfigLayers;
  /** What was read at start, as text by variable and as values. */
  readonly texts: NodeJS.ProcessEnv;
  readonly values: ConfigOf<S>;
  readonly handlers: LiveHandlers<S>;
}

type Service = Pick<FastifyInstance, 'log' | 'metrics'>;

/** What becomes of the new text of a setting. */
type Turn =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'applied' | 'needs_restart'; readonly to: unknown }
  | { readonly outcome: 'refused'; readonly reason: string };

/**
 * Takes on what changes in the configuration while the service runs: a setting that has a handler changes at once, one
 * without at the next start. A text that is no value is refused, and the last good value stays. Each is said once,
 * whatever the log level, never with the value of a secret, and counted. Gives the function that ends it.
 */
export function liveSettings<S extends ConfigSchema>(app: Service, settings: LiveSettings<S>): () => void {
  const { schema, layers } = settings;
  const report = configReport(app);
  const texts = new Map(Object.entries(settings.texts));
  const values = new Map<string, unknown>(Object.entries(settings.values));
  const handlers = new Map(Object.entries(settings.handlers)) as Map<string, ((value: unknown) => void) | undefined>;

  const consider = (variables: readonly string[]) => {
    for (const [name, setting] of Object.entries(schema)) {
      const { variable } = setting;
      const text = layers.textOf(variable);
      if (!variables.includes(variable) || text === texts.get(variable)) continue;
      texts.set(variable, text);
      const from = values.get(name);
      const turn = turnOf(setting, { text, from, handler: handlers.get(name) });
      if ('to' in turn) values.set(name, turn.to);
      report.turned(setting, from, turn);
    }
  };
  const end = layers.watch(consider, report.trouble);
  consider(Object.values(schema).map(({ variable }) => variable)); // what changed between the start and now
  return end;
}

function turnOf(
  setting: Setting<unknown>,
  given: {
    readonly text: string | undefined;
    readonly from: unknown;
    readonly handler: ((value: unknown) => void) | undefined;
  },
): Turn {
  try {
    const to = readSetting(given.text, setting);
    if (isDeepStrictEqual(given.from, to)) return { outcome: 'unchanged' };
    given.handler?.(to);
    return { outcome: given.handler === undefined ? 'needs_restart' : 'applied', to };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { outcome: 'refused', reason: `${setting.variable} ${fault}` };
  }
}

/** What is said and counted of the configuration. */
function configReport(app: Service) {
  const { changes, up } = configMetrics(app);
  // Said at every level, so with a level of its own; pino lets a child follow its parent if both are given the same.
  const log = app.log.child({}, { level: 'trace' });
  return {
    turned: (setting: Setting<unknown>, from: unknown, turn: Turn) => {
      if (turn.outcome === 'unchanged') return;
      const key = setting.variable;
      changes.inc({ key, outcome: turn.outcome });
      if (turn.outcome === 'refused') {
        log.warn({ key, reason: turn.reason, stays: shown(setting, from) }, 'configuration refused');
      } else {
        const what = turn.outcome === 'applied' ? 'configuration changed' : 'configuration changed for the next start';
        log.info({ key, from: shown(setting, from), to: shown(setting, turn.to) }, what);
      }
    },
    trouble: (reason: string | undefined) => {
      up.set(reason === undefined ? 1 : 0);
      if (reason === undefined) log.info('configuration is read again');
      else log.warn({ reason }, 'configuration cannot be read: the last known values stay');
    },
  };
}

function configMetrics({ metrics: { registry } }: Service) {
  const changes = new Counter({
    name: 'config_changes_total',
    help: 'Settings that were changed while the service ran, by outcome: applied, refused, needs_restart.',
    labelNames: ['key', 'outcome'],
    registers: [registry],
  });
  const up = new Gauge({
    name: 'config_source_up',
    help: 'Whether the configuration can be read: 1, or 0 while the last known values stand in for it.',
    registers: [registry],
  });
  up.set(1);
  return { changes, up };
}
