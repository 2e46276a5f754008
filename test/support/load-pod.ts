import { waitFor } from '../../cluster/wait-for.ts';
import { cli } from './cluster.ts';

/** What became of the requests so far. */
export interface Counts {
  readonly sent: number;
  readonly answered: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** A pod that sends requests from inside the cluster, through a Service, as many a second as it is told. */
export interface LoadPod {
  /** Sets how many requests a second are sent, and where to; gives what came of them so far. */
  set(perSecond: number, path?: string): Promise<Counts>;
  /** Stops, and gives what came of all requests once each has an answer or has failed. */
  end(): Promise<Counts>;
}

/**
 * Starts such a pod. It sends whether the earlier requests were answered or not, each over a connection of its own: so
 * kube-proxy spreads them over the pods, and none is retried.
 */
export async function startLoad(namespace: string, service: string, image: string): Promise<LoadPod> {
  const script = `
    const http = require('node:http');
    const counts = { sent: 0, answered: 0, failed: {} };
    let perSecond = 0;
    let path = '/';
    let due = 0;
    let last = performance.now();
    const fail = (why) => { counts.failed[why] = (counts.failed[why] ?? 0) + 1; };
    function send() {
      counts.sent += 1;
      const options = { agent: false, signal: AbortSignal.timeout(10_000) };
      http.get('http://${service}' + path, options, (answer) => {
        answer.resume().on('end', () => answer.statusCode === 200 ? counts.answered += 1 : fail(answer.statusCode));
      }).on('error', (error) => fail(error.code));
    }
    setInterval(() => {
      const now = performance.now();
      due += perSecond * (now - last) / 1000;
      last = now;
      for (; due >= 1; due -= 1) send();
    }, 10);
    http.createServer((request, answer) => {
      [, perSecond, path] = /^.(\\d+)(.*)$/.exec(request.url);
      answer.end(JSON.stringify(counts));
    }).listen(8080);`;
  const securityContext = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const container = { name: 'load', image, command: ['node', '--eval', script], securityContext };
  await cli.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'load', namespace },
      spec: { containers: [container], automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 },
    }),
  );
  await cli.waitFor('pod/load', 'Ready', { namespace, timeoutMs: 60_000 });

  const proxy = `/api/v1/namespaces/${namespace}/pods/load:8080/proxy`;
  const set = async (perSecond: number, path = '/'): Promise<Counts> =>
    JSON.parse(await cli.get(['--raw', `${proxy}/${perSecond}${path}`]));
  const end = () =>
    waitFor('the last answers', async () => {
      const counts = await set(0);
      const failures = Object.values(counts.failed).reduce((sum, count) => sum + count, 0);
      return counts.answered + failures >= counts.sent && counts;
    });
  return { set, end };
}
