import { type HttpAnswer, type HttpClient, problemMediaType, UpstreamError } from '@microservice-platform/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerHeaders, requestHeaders } from './headers.ts';

/** What is forwarded where: `/<name>` and everything below, plain or of a version, by the name of the collection. */
export type Backends = Readonly<Record<string, HttpClient>>;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A request line may hold a whole address; where it goes is decided here, so only the path is passed on. */
const absoluteForm = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;

/** A well-known path (RFC 8615) has no versions. */
const prefixesOf = (name: string) => (name === '.well-known' ? [''] : ['', '/v1', '/v2']);

/**
 * Forwards every request below `/<name>`, `/v1/<name>` or `/v2/<name>` to that backend, at the same path: which versions
 * of a route there are is the backend's to say. Bodies pass as they are, unread.
 */
export function forwarding(app: FastifyInstance, backends: Backends): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const [name, client] of Object.entries(backends)) {
    for (const url of prefixesOf(name).flatMap((prefix) => [`${prefix}/${name}`, `${prefix}/${name}/*`])) {
      app.route({ method: methods, url, handler: (request, reply) => forward(client, request, reply) });
    }
  }
}

async function forward(client: HttpClient, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = request.url.replace(absoluteForm, '');
  const answer = await client.send(request.method, path, {
    headers: requestHeaders(request.headers, request.id),
    signal: request.abandoned,
    ...(request.body instanceof Uint8Array ? { body: request.body } : {}),
  });
  if (answer.status >= 500 && !isProblem(answer)) {
    throw new UpstreamError('upstream_error', `${request.method} ${path} answered ${answer.status}`, answer);
  }
  return reply.code(answer.status).headers(answerHeaders(answer.headers)).send(answer.body);
}

/** A backend's own account of what went wrong tells the caller more than ours could. */
function isProblem({ headers }: HttpAnswer): boolean {
  return String(headers['content-type'] ?? '').startsWith(problemMediaType);
}
