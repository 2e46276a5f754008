import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/** What the contracts of all services refer to, as `../common/problems.yaml`: also from `/openapi.yaml`, by URL. */
const shared = new URL('../../problems.yaml', import.meta.url);

/** Serves the contract of a service, the `openapi.yaml` at this place, as `GET /openapi.yaml`. */
export function contractRoute(app: FastifyInstance, openapi: URL): void {
  for (const [path, file] of [
    ['/openapi.yaml', openapi],
    ['/common/problems.yaml', shared],
  ] as const) {
    const text = readFileSync(file, 'utf8');
    app.get(path, async (_request, reply) => reply.type('application/yaml').send(text));
  }
}
