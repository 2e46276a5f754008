import { readFile } from 'node:fs/promises';
import { Problem } from '@microservice-platform/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Json } from './contract-merge.ts';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The shop</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" type="image/png" href="favicon-32x32.png">
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</html>
`;
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null });\n`;

/** Those files of swagger-ui-dist that the page needs. */
const packaged: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** The page runs what is served beside it, and speaks to nobody else. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Serves the contract of the whole as `/openapi.json`, and a page to read it and try it out at `/docs/`. */
export function contractPage(app: FastifyInstance, contract: () => Promise<Json>): void {
  const send = (reply: FastifyReply, type: string, body: string | Buffer) =>
    reply.headers({ ...headers, 'content-type': type, 'cache-control': 'max-age=60' }).send(body);

  app.get('/openapi.json', async (_request, reply) =>
    reply
      .header('cache-control', 'no-cache')
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(await contract())),
  );
  app.get('/docs', async (_request, reply) => reply.redirect('/docs/', 308));
  app.get('/docs/', async (_request, reply) => send(reply, 'text/html; charset=utf-8', page));
  app.get('/docs/start.js', async (_request, reply) => send(reply, 'text/javascript; charset=utf-8', start));
  app.get<{ Params: { file: string } }>('/docs/:file', async ({ params: { file } }, reply) => {
    const type = Object.hasOwn(packaged, file) ? packaged[file] : undefined;
    if (type === undefined) throw new Problem('not_found', `nothing at /docs/${file}`);
    return send(reply, type, await readFile(new URL(import.meta.resolve(`swagger-ui-dist/${file}`))));
  });
}
