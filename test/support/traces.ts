import { globSync, readdirSync, readFileSync } from 'node:fs';
import { run } from '../../cluster/run.ts';

/** What a cluster of that name could leave on the machine. Other clusters may come and go meanwhile. */
export async function traces(name: string) {
  const folder = `/var/lib/microservice-platform/${name}`;
  return {
    processes: readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map((pid) => commandLine(pid))
      .filter((line) => line.includes(folder) || line.includes(`${name}\0`) || line.endsWith(name)),
    mounts: readFileSync('/proc/mounts', 'utf8').split('\n').sort(),
    interfaces: (await run('ip', ['-brief', 'link'])).split('\n').map((line) => line.split(/[\s@]/)[0]),
    tables: await run('nft', ['list', 'tables']),
    namespaces: await run('ip', ['netns', 'list']),
    cgroups: globSync(`/sys/fs/cgroup/*/*microservice-platform-${name}`),
    files: ['/etc', '/run', '/var/log', '/opt', '/usr/sbin/policy-rc.d', folder].flatMap((place) =>
      globSync([place, `${place}/*`]),
    ),
    settings: ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'].map((setting) =>
      readFileSync(`/proc/sys/${setting}`, 'utf8'),
    ),
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
