import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What Alertmanager sends to a webhook, as far as it is read here. */
export interface Notification {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

export interface Webhook extends AsyncDisposable {
  readonly url: string;
  /** All that it got, with the moment (ms since the epoch), in order. */
  readonly got: readonly { readonly at: number; readonly path: string; readonly body: Notification }[];
}

/** A receiver of notifications on the loopback interface. */
export async function startWebhook(): Promise<Webhook> {
  const got: { at: number; path: string; body: Notification }[] = [];
  const server = createServer((request, response) => {
    json(request).then(
      (body) => {
        got.push({ at: Date.now(), path: request.url ?? '', body: body as Notification });
        response.end();
      },
      (error: Error) => response.writeHead(400).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
