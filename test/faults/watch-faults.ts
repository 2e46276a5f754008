import { childKinds } from '../../operator/src/api/kinds.ts';
import { eventually } from '../support/eventually.ts';
import { paths } from '../support/kube-api.ts';
import { childPath, collectionPath } from './children.ts';
import type { LineFault } from './watch-stream.ts';
import { subject, type World } from './world.ts';

/** A fault of one watch that was ordered. */
export interface WatchStrike {
  /** Whether it has happened. */
  isStruck(): boolean;
  end(): void;
}

export interface WatchFault {
  readonly name: string;
  /** Whether the operator has to open the watch anew afterwards. */
  readonly breaks: boolean;
  readonly strike: (world: World, resource: string, namespace: string) => Promise<WatchStrike> | WatchStrike;
}

/** A quarter of a megabyte: all that annotations may come to. */
const bigText = 'x'.repeat(250_000);

export const watchFaults: readonly WatchFault[] = [
  { name: 'closed', breaks: true, strike: atOnce((stream) => stream.close()) },
  { name: 'reset between two lines', breaks: true, strike: atOnce((stream) => stream.reset()) },
  { name: 'expired', breaks: true, strike: atOnce((stream) => stream.expire()) },
  ...[403, 410, 429, 500].map((status) => ({
    name: `refused with ${status}`,
    breaks: true,
    strike: refused(status, status === 410 ? 1 : 2),
  })),
  { name: 'expired, and the list fails', breaks: true, strike: unlisted },
  { name: 'reset in a line', breaks: true, strike: onLine({ kind: 'cut' }) },
  { name: 'line twice', breaks: false, strike: onLine({ kind: 'duplicate' }) },
  { name: 'line late', breaks: false, strike: onLine({ kind: 'delay', ms: 1_500 }) },
  { name: 'older line again', breaks: false, strike: onLine({ kind: 'replay' }) },
  { name: 'big object', breaks: false, strike: big },
];

/** Only the clock of the operator tells that nothing comes any more. */
export const swallowed: WatchFault = {
  name: 'swallowed',
  breaks: true,
  strike: atOnce((stream) => stream.swallow()),
};

type Strike = WatchFault['strike'];
type Stream = ReturnType<World['proxy']['watchesOf']>[number];

function atOnce(act: (stream: Stream) => void): Strike {
  return ({ proxy }, resource) => {
    const streams = proxy.watchesOf(resource);
    for (const stream of streams) act(stream);
    return { isStruck: () => streams.length > 0, end: () => undefined };
  };
}

/** The watch is cut, and so many attempts to open it anew are refused. */
function refused(status: number, times: number): Strike {
  return ({ proxy }, resource) => {
    let left = times;
    const end = proxy.add((asked) => {
      if (asked.verb !== 'watch' || asked.resource !== resource || left === 0) return undefined;
      left -= 1;
      const wait = status === 429 ? { retryAfterS: 1 } : {};
      return { kind: 'answer', status, reason: status === 410 ? 'Expired' : 'Planned', ...wait };
    });
    for (const stream of proxy.watchesOf(resource)) stream.reset();
    return { isStruck: () => left === 0, end };
  };
}

function unlisted({ proxy }: World, resource: string): WatchStrike {
  let left = 3;
  const end = proxy.add((asked) => {
    if (asked.verb !== 'list' || asked.resource !== resource || left === 0) return undefined;
    left -= 1;
    return { kind: 'answer', status: 500, reason: 'InternalError' };
  });
  for (const stream of proxy.watchesOf(resource)) stream.expire();
  return { isStruck: () => left === 0, end };
}

function onLine(fault: LineFault): Strike {
  return ({ proxy }, resource, namespace) => {
    proxy.onNextLine(resource, namespace, fault);
    return {
      isStruck: () => proxy.hasStruck(resource, namespace),
      end: () => proxy.forgetLineFaults(resource, namespace),
    };
  };
}

/** An object of that kind gets so big that its line comes in many pieces, and small again in the end. */
async function big({ api, observer }: World, resource: string, namespace: string): Promise<WatchStrike> {
  const path = pathOf(observer.objects(namespace), resource, namespace);
  const annotated = (text: string | null) =>
    api.patch(path, { metadata: { annotations: { 'example.com/big': text } } });
  await annotated(bigText);
  const { kind, metadata } = await annotated(null);
  await eventually(() => {
    if (!observer.hasSeen(kind, BigInt(metadata.resourceVersion))) throw new Error('the big object was not seen');
  });
  return { isStruck: () => true, end: () => undefined };
}

function pathOf(objects: ReturnType<World['observer']['objects']>, resource: string, namespace: string): string {
  if (resource === 'microservices') return `${paths.microservices(namespace)}/${subject}`;
  if (resource === 'metadata of configmaps') return `${collectionPath('ConfigMap', namespace)}/settings`;
  const child = childKinds.find(({ plural }) => plural === resource);
  if (child !== undefined) return childPath(child.kind, namespace);
  return `${paths.pods(namespace)}/${objects.find(({ kind }) => kind === 'Pod')?.metadata.name}`;
}
