import type { ConfigSchema } from './config.ts';
import type { ConfigSource } from './config-source.ts';

/** Sources one above the other: of those that have a key, the first counts. */
export interface ConfigLayers {
  /** The text of a variable now; undefined when no source has it. */
  readonly textOf: (variable: string) => string | undefined;
  /** The name of the source that it comes from; undefined when no source has it. */
  readonly originOf: (variable: string) => string | undefined;
  /** The sources' names, for messages. */
  readonly place: string;
  readonly watch: ConfigSource['watch'];
  readonly close: () => Promise<void>;
}

export function configLayers(sources: readonly ConfigSource[]): ConfigLayers {
  const holderOf = (variable: string) => sources.find((source) => source.has(variable));
  const names = sources.map(({ name }) => name);
  return {
    textOf: (variable) => holderOf(variable)?.get(variable),
    originOf: (variable) => holderOf(variable)?.name,
    place: names.length === 1 ? `the ${names[0]}` : `the configuration (${names.join(', then ')})`,
    watch: (onChange, onTrouble) => {
      const ends = sources.map((source) => source.watch(onChange, onTrouble));
      return () => {
        for (const end of ends) end();
      };
    },
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

/** What stands for the environment: the text of every variable that the schema names and some source has. */
export function environmentOf(layers: ConfigLayers, schema: ConfigSchema): NodeJS.ProcessEnv {
  const variables = Object.values(schema).map(({ variable }) => variable);
  return Object.fromEntries(variables.map((variable) => [variable, layers.textOf(variable)]));
}
