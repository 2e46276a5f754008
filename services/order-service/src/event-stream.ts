import { Readable } from 'node:stream';
import { faults, requireNone } from '@microservice-platform/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Recorded } from './events.ts';
import type { Followers } from './followers.ts';
import type { Orders } from './orders.ts';
import { orderHistory } from './orders.ts';

export interface EventStreams {
  readonly orders: Orders;
  readonly followers: Followers;
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
}

/** Afterwards a follower has to come again, and finds a replica that was not there before. */
const longestMs = 300_000;

/**
 * The events of an order as server-sent events: those there are, and each new one as it happens, until the order has
 * ended. Who comes again with the id of the last one that it has (`Last-Event-ID`) misses none; 204 says that there
 * are no more.
 */
export async function sendEvents(
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
  { orders, followers, stopping }: EventStreams,
): Promise<FastifyReply> {
  const after = lastEventId(request.headers['last-event-id']);
  const history = await orderHistory(orders, id);
  const news = history.filter(({ version }) => version > after);
  if (news.length === 0 && hasEnded(history)) return reply.code(204).send();
  const last = Math.max(after, history.at(-1)?.version ?? 0);
  const ended = AbortSignal.any([request.abandoned, stopping]);
  const more = hasEnded(history) ? undefined : followers.follow(id, last, ended);
  request.mayTake(longestMs);
  return reply
    .headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    .send(Readable.from(eventStream(news, more), { objectMode: false }));
}

/** The text of a stream, chunk by chunk: each is a whole number of messages. */
async function* eventStream(
  first: readonly Recorded[],
  more: AsyncIterable<readonly Recorded[]> | undefined,
): AsyncGenerator<string, void, void> {
  yield `: hello\n\n${first.map(message).join('')}`; // also when there are none yet: the head is sent with it
  for await (const news of more ?? []) {
    yield news.length === 0 ? ': still here\n\n' : news.map(message).join('');
    if (hasEnded(news)) return;
  }
  // Not all at the same time: those who followed here come again together.
  if (more !== undefined) yield `retry: ${500 + Math.floor(Math.random() * 1_000)}\n\n`;
}

/** One event as a message: its version as id, so that it says where to go on. */
function message({ version, event: { type, ...data }, at }: Recorded): string {
  return `id: ${version}\nevent: ${type}\ndata: ${JSON.stringify({ ...data, at: at.toISOString() })}\n\n`;
}

function hasEnded(events: readonly Recorded[]): boolean {
  const last = events.at(-1)?.event.type;
  return last === 'OrderCompleted' || last === 'OrderCompensated';
}

/** The version in `Last-Event-ID`; 0 without one. @throws Problem `invalid_request` when it is not one of ours */
function lastEventId(given: string | string[] | undefined): number {
  if (given === undefined || given === '') return 0;
  const known = typeof given === 'string' && /^\d{1,9}$/.test(given);
  requireNone(faults('Last-Event-ID', known ? undefined : 'is not the id of an event'));
  return Number(given);
}
