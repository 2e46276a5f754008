import type { IncomingMessage } from 'node:http';

type Verb = 'get' | 'list' | 'watch' | 'apply' | 'patch' | 'create' | 'delete';

/** A request of the operator, as far as faults are chosen by it. */
export interface Asked {
  readonly verb: Verb;
  /** The plural, with the subresource: `microservices/status`; `metadata of configmaps` where nothing else is asked for. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** On the clock of `performance.now`. */
  readonly at: number;
}

const changing: ReadonlySet<Verb> = new Set<Verb>(['apply', 'patch', 'create', 'delete']);

/** Whether it changes what the operator is answerable for. Events are a courtesy to people. */
export function isWrite({ verb, resource }: Asked): boolean {
  return changing.has(verb) && resource !== 'events';
}

export function inWords({ verb, resource, name }: Asked): string {
  return [verb, resource, name].filter((word) => word !== undefined).join(' ');
}

export function askedBy(incoming: IncomingMessage): Asked {
  const url = new URL(incoming.url ?? '', 'http://proxy');
  const parts = url.pathname.split('/').slice(url.pathname.startsWith('/api/') ? 3 : 4);
  const isPlaced = parts[0] === 'namespaces' && parts.length > 2;
  const [plural = '', name, subresource] = isPlaced ? parts.slice(2) : parts;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  return {
    verb: verbOf(incoming, url, name),
    resource: incoming.headers.accept?.includes('PartialObjectMetadata') ? `metadata of ${resource}` : resource,
    namespace: isPlaced ? parts[1] : undefined,
    name,
    at: performance.now(),
  };
}

function verbOf({ method, headers }: IncomingMessage, url: URL, name: string | undefined): Verb {
  if (method === 'POST') return 'create';
  if (method === 'DELETE') return 'delete';
  if (method === 'PATCH') return headers['content-type']?.includes('apply-patch') ? 'apply' : 'patch';
  if (url.searchParams.has('watch')) return 'watch';
  return name === undefined ? 'list' : 'get';
}
