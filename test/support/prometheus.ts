import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { tool } from '../../cluster/toolchain.ts';
import { freePort, startDaemon } from './daemon.ts';

export interface Target {
  readonly scrapeUrl: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: 'up' | 'down' | 'unknown';
}

/** A real Prometheus on loopback, with a folder of its own. */
export interface Prometheus extends AsyncDisposable {
  readonly url: string;
  /** Asks for the samples of now: the labels and the value of each. */
  query(expression: string): Promise<readonly { readonly metric: Target['labels']; readonly value: number }[]>;
  /** The `data` that its API answers at this path with these parameters. */
  ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown>;
  /** What it scrapes. */
  targets(): Promise<readonly Target[]>;
  stop(): Promise<void>;
}

/** Starts a Prometheus with this configuration, and these files of rules beside it. */
export async function startPrometheus(
  config: object,
  rules: Readonly<Record<string, object>> = {},
  port?: number,
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  for (const [name, file] of Object.entries(rules)) writeFileSync(join(folder, name), stringify(file));
  writeFileSync(join(folder, 'prometheus.yml'), stringify({ ...config, rule_files: Object.keys(rules) }));
  const address = `127.0.0.1:${port ?? (await freePort())}`;
  const args = [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=samples',
    '--enable-feature=exemplar-storage',
    `--web.listen-address=${address}`,
  ];
  const daemon = startDaemon('prometheus', tool('prometheus'), { args, cwd: folder });
  const url = `http://${address}`;
  const get = async (path: string) => {
    const answer = await fetch(`${url}/api/v1/${path}`, { signal: AbortSignal.timeout(5_000) });
    return ((await answer.json()) as { readonly data: unknown }).data;
  };
  const stop = async () => {
    await daemon.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await daemon.ready(() => isReady(url), 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    query: async (expression) => {
      const { result } = (await get(`query?query=${encodeURIComponent(expression)}`)) as {
        readonly result: readonly { readonly metric: Target['labels']; readonly value: readonly [number, string] }[];
      };
      return result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
    },
    ask: (path, parameters) => get(`${path}?${new URLSearchParams(parameters).toString()}`),
    targets: async () => ((await get('targets?state=active')) as { activeTargets: readonly Target[] }).activeTargets,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
