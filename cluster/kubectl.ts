import { client } from './clients.ts';
import { run } from './run.ts';

/** kubectl against one cluster, whatever the caller's own configuration says. */
export function kubectl(kubeconfig: string) {
  const call = (args: readonly string[], timeoutMs: number, input?: string) =>
    run(client('kubectl'), ['--kubeconfig', kubeconfig, ...args], {
      timeoutMs,
      ...(input === undefined ? {} : { input }),
    });
  return {
    run: (args: readonly string[], timeoutMs = 30_000, input?: string) => call(args, timeoutMs, input),
    get: (args: readonly string[], timeoutMs = 30_000) => call(['get', ...args], timeoutMs),
    /** Applies manifests on the server side, as the user who installs. */
    apply: (manifests: string) =>
      call(['apply', '--server-side', '--field-manager=microservice-platform-installer', '-f', '-'], 60_000, manifests),
    create: (manifests: string) => call(['create', '-f', '-'], 30_000, manifests),
    waitFor: (what: string, condition: string, options: { readonly namespace: string; readonly timeoutMs: number }) =>
      call(
        [
          'wait',
          what,
          `--for=condition=${condition}`,
          '-n',
          options.namespace,
          `--timeout=${options.timeoutMs / 1000}s`,
        ],
        options.timeoutMs + 10_000,
      ),
  };
}

export type Kubectl = ReturnType<typeof kubectl>;
