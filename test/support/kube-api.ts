import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import { eventually } from './eventually.ts';

/** Any object, as it is on the wire. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever field it has something to say about
export type Wire = any;

export interface Answer {
  readonly status: number;
  readonly body: Wire;
}

/** A bare client for tests: paths in, JSON out, as the administrator of a cluster. */
export class KubeApi implements AsyncDisposable {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(kubeconfig: string) {
    const { server, ca, token } = readKubeconfig(kubeconfig);
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ connect: { ca }, allowH2: false });
  }

  async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, type?: string): Promise<Answer> {
    const answer = await request(this.#server + path, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': type ?? 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  }

  /** Like `ask`, and throws what the API server says when it is anything but success. */
  async must(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, type?: string): Promise<Wire> {
    const answer = await this.ask(method, path, body, type);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.message}`);
    return answer.body;
  }

  get(path: string): Promise<Wire> {
    return this.must('GET', path);
  }

  post(path: string, body: unknown): Promise<Wire> {
    return this.must('POST', path, body);
  }

  /** A JSON merge patch, as somebody would do by hand. */
  patch(path: string, body: unknown): Promise<Wire> {
    return this.must('PATCH', path, body, 'application/merge-patch+json');
  }

  delete(path: string): Promise<Wire> {
    return this.must('DELETE', path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

export interface Access {
  readonly server: string;
  readonly ca: Buffer;
  readonly token: string;
}

/** The parts of a kubeconfig of a control plane that a plain HTTP client needs. */
export function readKubeconfig(path: string): Access {
  const file: Wire = parse(readFileSync(path, 'utf8'));
  const { cluster } = file.clusters[0];
  return {
    server: cluster.server,
    ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
    token: file.users[0].user.token,
  };
}

/** Paths of the objects that a Microservice is and has. */
export const paths = {
  microservices: (namespace: string) => `/apis/microservice-platform.io/v1alpha1/namespaces/${namespace}/microservices`,
  deployments: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  services: (namespace: string) => `/api/v1/namespaces/${namespace}/services`,
  autoscalers: (namespace: string) => `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`,
  pods: (namespace: string) => `/api/v1/namespaces/${namespace}/pods`,
  events: (namespace: string) => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
};

/** Installs the resource definition of this repository and waits until the API server serves it. */
export async function installDefinition(api: KubeApi): Promise<void> {
  const file = join(import.meta.dirname, '../../crds/microservice-platform.io_microservices.yaml');
  await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', parse(readFileSync(file, 'utf8')));
  await eventually(() => api.get('/apis/microservice-platform.io/v1alpha1/microservices'));
}

let namespaces = 0;

/** Makes a namespace of its own for a test. */
export async function makeNamespace(api: KubeApi): Promise<string> {
  namespaces += 1;
  const name = `test-${namespaces}`;
  await api.post('/api/v1/namespaces', { metadata: { name } });
  return name;
}
