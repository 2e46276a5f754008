import { versioned } from '@microservice-platform/common';
import type { FastifyInstance } from 'fastify';
import { type SignInDeps, signIn } from './sign-in.ts';
import type { PublicKey } from './token-keys.ts';
import { existing, userPage } from './users.ts';
import { newUser, pageRequest, signInRequest, userDetails, userId } from './validator.ts';

export interface UserRoutes extends SignInDeps {
  readonly publicKeys: readonly PublicKey[];
}

/** Verifiers may keep the keys so long; a new key is to be published that much before it signs. */
const keysMaxAgeSeconds = 300;

/** The REST side of the user service. A caller that leaves has its statement cancelled. */
export function userRoutes(app: FastifyInstance, { publicKeys, ...deps }: UserRoutes): void {
  const { users, passwords } = deps;
  type ById = { Params: { id: string } };

  versioned(app, 1, (api) => {
    api.get('/users', async ({ query, abandoned }) => userPage(users, pageRequest(query), abandoned));

    api.get<ById>('/users/:id', async ({ params, abandoned }) => {
      const id = userId(params.id);
      return existing(id, await users.find(id, abandoned));
    });

    api.post('/users', async ({ body, abandoned }, reply) => {
      const { password, ...details } = newUser(body);
      const hash = password === undefined ? undefined : await passwords.hash(password);
      const user = await users.add(details, hash, abandoned);
      return reply.code(201).header('location', `/users/${user.id}`).send(user);
    });

    api.put<ById>('/users/:id', async ({ params, body, abandoned }) => {
      const id = userId(params.id);
      return existing(id, await users.replace(id, userDetails(body), abandoned));
    });

    api.delete<ById>('/users/:id', async ({ params, abandoned }, reply) => {
      const id = userId(params.id);
      existing(id, await users.remove(id, abandoned));
      return reply.code(204).send();
    });

    api.post('/tokens', async ({ body, abandoned }, reply) => {
      const token = await signIn(deps, signInRequest(body), abandoned);
      return reply.header('cache-control', 'no-store').send(token);
    });
  });

  // A well-known path (RFC 8615) is where it is, in every version.
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    reply.header('cache-control', `public, max-age=${keysMaxAgeSeconds}`).send({ keys: publicKeys }),
  );
}
