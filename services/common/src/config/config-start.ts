import type { FastifyInstance } from 'fastify';
import { type baseConfig, type ConfigOf, type ConfigSchema, readConfig } from './config.ts';
import { chosenSources } from './config-choice.ts';
import { type ConfigLayers, configLayers, environmentOf } from './config-layers.ts';
import { effectiveConfig } from './config-print.ts';
import { type LiveHandlers, liveSettings } from './live-settings.ts';

export interface Settings<S extends ConfigSchema> {
  /** As they are at start. */
  readonly values: Readonly<ConfigOf<S>>;
  /**
   * From now on the log level changes with its setting, and so does whatever else has a handler; until the service
   * closes.
   */
  readonly follow: (app: FastifyInstance, handlers?: LiveHandlers<S>) => void;
}

/** What of `process` is used. */
type Program = Pick<NodeJS.Process, 'env' | 'argv' | 'exit'> & { readonly stdout: Pick<NodeJS.WriteStream, 'write'> };

/**
 * Reads the settings of a service from the sources that `CONFIG_SOURCE` chooses. With the argument `--print-config` it
 * prints them as JSON, a line for each, with where it comes from, and ends: with 0, or with 1 when the service would
 * not start so.
 *
 * @throws ConfigError naming every fault at once; Error when a source cannot be read
 */
export async function startSettings<S extends ConfigSchema & typeof baseConfig>(
  program: Program,
  schema: S,
): Promise<Settings<S>> {
  const layers = configLayers(await chosenSources(program.env));
  if (program.argv.includes('--print-config')) printAndExit(program, layers, schema);
  const texts = environmentOf(layers, schema);
  const values = readConfig(texts, schema, layers.place);
  return {
    values,
    follow: (app, handlers) => {
      const setLevel = (level: string) => {
        app.log.level = level;
      };
      const all = { logLevel: setLevel, ...handlers } as LiveHandlers<S>;
      const end = liveSettings(app, { schema, layers, texts, values, handlers: all });
      app.addHook('onClose', async () => {
        end();
        await layers.close();
      });
    },
  };
}

function printAndExit(program: Program, layers: ConfigLayers, schema: ConfigSchema): never {
  const settings = effectiveConfig(layers, schema);
  const lines = Object.entries(settings).map(
    ([variable, it]) => `  ${JSON.stringify(variable)}: ${JSON.stringify(it)}`,
  );
  program.stdout.write(`{\n${lines.join(',\n')}\n}\n`);
  program.exit(Object.values(settings).some(({ fault }) => fault !== undefined) ? 1 : 0);
}
