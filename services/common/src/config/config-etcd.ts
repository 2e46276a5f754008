import { type EtcdOptions, etcd } from '../etcd/etcd.ts';
import { etcdEntries } from '../etcd/etcd-mirror.ts';
import { configMirror } from './config-mirror.ts';
import type { ConfigSource } from './config-source.ts';

export interface ConfigEtcdOptions extends EtcdOptions {
  /** The key of a setting is this and the name of its variable: `/config/LOG_LEVEL`. */
  readonly prefix: string;
  /** How long etcd is waited for at start: things that start together are not there in order. */
  readonly startMs?: number;
}

/** Settings in etcd, heard of as they change. @throws Error naming the endpoints when none answers in time */
export async function configEtcd({ prefix, startMs = 15_000, ...options }: ConfigEtcdOptions): Promise<ConfigSource> {
  const client = etcd(options);
  try {
    const source = await configMirror('etcd', etcdEntries(client, prefix), startMs);
    return {
      ...source,
      close: async () => {
        await Promise.all([source.close(), client.close()]);
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}
