// What `helm test` runs: a Microservice becomes Ready, answers, has its trace in Jaeger and its target in Prometheus. One
// line each, and where it ends at one, what to look at. It stands alone: nothing but Node is there when it runs.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const name = 'platform-test';
const {
  NAMESPACE = '',
  IMAGE = '',
  POD_NAME = '',
  POD_UID = '',
  OTLP = '',
  JAEGER = '',
  PROMETHEUS = '',
} = process.env;
const api = `https://${process.env.KUBERNETES_SERVICE_HOST}:${process.env.KUBERNETES_SERVICE_PORT}`;
const collection = `${api}/apis/microservice-platform.io/v1alpha1/namespaces/${NAMESPACE}/microservices`;
const kubectl = `kubectl --namespace ${NAMESPACE}`;

interface Microservice {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  };
}

/** The service that is tried, as the text of a program: it answers, has metrics, and tells Jaeger of each request. */
function serve(otlp: string, service: string): void {
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, answer) => {
    if (request.url === '/metrics') {
      answer.setHeader('content-type', 'text/plain; version=0.0.4').end('platform_test_up 1\n');
      return;
    }
    const [, traceId, parentSpanId] = String(request.headers.traceparent).split('-');
    const now = `${Date.now()}000000`;
    const times = { startTimeUnixNano: now, endTimeUnixNano: now };
    const span = { traceId, parentSpanId, spanId: traceId?.slice(16), name: 'helm test', kind: 2, ...times };
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
    const headers = { 'content-type': 'application/json' };
    const sent = { method: 'POST', headers, body, signal: AbortSignal.timeout(5000) };
    const told = otlp === '' ? Promise.resolve() : fetch(`${otlp}/v1/traces`, sent);
    // A span that is not taken is noticed when its trace is looked for.
    void told.catch(() => undefined).then(() => answer.end('ok\n'));
  });
  server.listen(8080);
  process.on('SIGTERM', () => server.close());
}

/** The API server's answer as JSON; undefined for what is not there. */
async function kubernetes(method: string, url: string, body?: object): Promise<Microservice | undefined> {
  const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(url, { method, headers, signal, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (response.status === 404 && method !== 'POST') return undefined;
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} was answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** Asks until there is an answer; after `seconds` fails with what was asked, the last thing heard, and what to do. */
async function until(what: string, seconds: number, advice: string, ask: () => Promise<string>): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const heard = await ask().catch((error: Error) => error.message);
    if (heard === '') return console.log(`ok      ${what}`);
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s. ${heard}. Look at: ${advice}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch((error: Error) => {
    throw new Error(`${url} does not answer (${error.cause instanceof Error ? error.cause.message : error.message})`);
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as T;
}

async function check(): Promise<void> {
  const traceId = randomBytes(16).toString('hex');
  await until('what an earlier test left is gone', 20, `${kubectl} describe microservice ${name}`, async () =>
    (await kubernetes('DELETE', `${collection}/${name}`)) ? 'it is being removed' : '',
  );
  await kubernetes('POST', collection, {
    apiVersion: 'microservice-platform.io/v1alpha1',
    kind: 'Microservice',
    // It goes with this pod, however this pod ends.
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: POD_NAME, uid: POD_UID }] },
    spec: {
      image: IMAGE,
      command: ['node', '--eval', `(${String(serve)})(${JSON.stringify(OTLP)}, '${name}')`],
      ports: [{ name: 'http', containerPort: 8080, servicePort: 80 }],
      resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    },
  });
  await until('a Microservice becomes Ready', 100, `${kubectl} logs deployment/operator`, async () => {
    const found = await kubernetes('GET', `${collection}/${name}`);
    const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.status === 'True' ? '' : (ready?.message ?? 'The operator has not looked at it');
  });
  await until('it answers at its Service', 20, `${kubectl} get endpointslices`, async () => {
    const headers = { traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01` };
    const url = `http://${name}.${NAMESPACE}.svc`;
    const { status } = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
    return status === 200 ? '' : `${url} answered ${status}`;
  });
  if (JAEGER === '') console.log('skipped its trace: tracing.mode=none');
  else
    await until('its trace is in Jaeger', 30, `${kubectl} get pods; ${kubectl} logs deployment/jaeger`, async () => {
      const { data } = await json<{ data?: unknown[] }>(`${JAEGER}/api/traces/${traceId}`);
      return data?.length ? '' : `There is no trace ${traceId}`;
    });
  if (PROMETHEUS === '') console.log('skipped its target: metrics.mode=none');
  else
    await until(
      'its target is up in Prometheus',
      90,
      `${kubectl} get pods; ${kubectl} logs deployment/prometheus`,
      async () => {
        const query = encodeURIComponent(`up{namespace="${NAMESPACE}", service="${name}"} == 1`);
        const { data } = await json<{ data: { result: unknown[] } }>(`${PROMETHEUS}/api/v1/query?query=${query}`);
        return data.result.length > 0 ? '' : 'It has no such target that is up';
      },
    );
}

try {
  await check();
} catch (error) {
  console.log(`FAILED  ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await kubernetes('DELETE', `${collection}/${name}`).catch((error: Error) => console.log(`left    ${error.message}`));
}
