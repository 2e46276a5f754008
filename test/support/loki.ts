import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from '../../cluster/toolchain.ts';
import { find, render } from '../chart/rendered.ts';
import { freePort } from './daemon.ts';
import { type Restartable, restartable } from './restartable.ts';

/** A line as Loki gives it back: its stream's labels and its metadata in one. */
export interface FoundLine {
  readonly time: string;
  readonly line: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LokiServer extends Restartable, AsyncDisposable {
  readonly url: string;
  /** The lines of a query of the last day, the oldest first, at most 5000. */
  readonly lines: (query: string) => Promise<readonly FoundLine[]>;
}

/** A Loki on loopback with the configuration of the chart, in a folder of its own; it is started by `start`. */
export async function lokiServer(): Promise<LokiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'loki-'));
  const [http, grpc] = [await freePort(), await freePort()];
  const file = join(folder, 'loki.yaml');
  const config: string = find(render(), 'ConfigMap', 'loki').data['loki.yaml'];
  writeFileSync(
    file,
    config
      .replaceAll('/loki/', `${folder}/`)
      .replace('path_prefix: /loki', `path_prefix: ${folder}`)
      .replace('http_listen_port: 3100', `http_listen_address: 127.0.0.1\n  http_listen_port: ${http}`)
      .replace('9095', String(grpc)),
  );
  const url = `http://127.0.0.1:${http}`;
  const server = restartable(tool('loki'), [`-config.file=${file}`], async () => {
    const { status } = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) });
    if (status !== 200) throw new Error(`Loki is not ready: ${status}`);
  });
  return {
    ...server,
    url,
    lines: (query) => linesOf(url, query),
    [Symbol.asyncDispose]: async () => {
      server.thaw();
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a Loki has of a query. */
export async function linesOf(url: string, query: string): Promise<readonly FoundLine[]> {
  const parameters = new URLSearchParams({
    query,
    limit: '5000',
    direction: 'forward',
    start: String(BigInt(Date.now() - 23 * 3600_000) * 1_000_000n),
    end: String(BigInt(Date.now() + 60_000) * 1_000_000n),
  });
  const answer = await fetch(`${url}/loki/api/v1/query_range?${parameters.toString()}`, {
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`${query}: ${answer.status} ${await answer.text()}`);
  const { data } = (await answer.json()) as {
    readonly data: {
      readonly result: readonly {
        readonly stream: Readonly<Record<string, string>>;
        readonly values: readonly (readonly [string, string])[];
      }[];
    };
  };
  return data.result
    .flatMap(({ stream, values }) => values.map(([time, line]) => ({ time, line, labels: stream })))
    .sort((one, other) => (BigInt(one.time) < BigInt(other.time) ? -1 : 1));
}
