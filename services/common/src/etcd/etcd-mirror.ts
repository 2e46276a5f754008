import type { Etcd, EtcdChange } from './etcd.ts';
import { EtcdCompacted } from './etcd-error.ts';
import type { MirrorChange, MirrorSource } from './mirror.ts';

/** The entries of etcd below `prefix`, for a mirror. Their keys are what follows the prefix. */
export function etcdEntries(etcd: Pick<Etcd, 'list' | 'watch'>, prefix: string): MirrorSource<string, number> {
  const nameOf = (key: string) => key.slice(prefix.length);
  const renamed = (change: EtcdChange): MirrorChange<string> =>
    change.type === 'put'
      ? { type: 'put', key: nameOf(change.entry.key), value: change.entry.value }
      : { type: 'delete', key: nameOf(change.key) };
  return {
    list: async () => {
      const { entries, revision } = await etcd.list(prefix);
      return { entries: new Map(entries.map(({ key, value }) => [nameOf(key), value])), position: revision };
    },
    watch: async (revision, onChange, signal) => {
      const watched = etcd.watch(prefix, revision, (changes) => onChange(changes.map(renamed)), signal);
      await watched.catch((error: unknown) => {
        if (!(error instanceof EtcdCompacted)) throw error; // a new list makes up for it
      });
    },
  };
}
