import { type MirrorSource, mirror } from '../etcd/mirror.ts';
import { within } from '../serving/timeouts.ts';
import { type ConfigSource, found } from './config-source.ts';
import { listeners } from './listeners.ts';

/**
 * A source of settings that is a mirror of `entries`.
 *
 * @throws Error with the reason when they cannot be read within `startMs`
 */
export async function configMirror<Position>(
  name: string,
  entries: MirrorSource<string, Position>,
  startMs: number,
): Promise<ConfigSource> {
  const changes = listeners<readonly string[]>();
  const troubles = listeners<string | undefined>();
  const copy = mirror(entries, { onChange: changes.tell, onTrouble: troubles.tell });
  try {
    await within(startMs, `configuration from ${name}`, copy.ready);
  } catch (error) {
    const reason = copy.trouble();
    await copy.close();
    if (reason === undefined) throw error;
    throw new Error(`the configuration could not be read from ${name} within ${startMs} ms: ${reason}`);
  }
  return {
    name,
    has: (key) => copy.entries().has(key),
    get: (key) => found(copy.entries(), key),
    watch: (onChange, onTrouble = () => undefined) => {
      const ends = [changes.add(onChange), troubles.add(onTrouble)];
      return () => {
        for (const end of ends) end();
      };
    },
    close: copy.close,
  };
}
