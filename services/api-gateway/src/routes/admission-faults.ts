import type { RouteFile } from './schema.ts';

/** What contradicts itself in a route file as to who may ask, and how often. */
export function admissionFaults({ backends, tokens, rateLimits = {}, routes }: RouteFile): readonly string[] {
  const ofKeys =
    tokens === undefined || Object.hasOwn(backends, tokens.keys.backend)
      ? []
      : [`tokens.keys leads to ${tokens.keys.backend}, which is not among the backends`];
  const ofRoutes = routes.flatMap(({ scopes, rateLimit }, index) => [
    ...(scopes !== undefined && tokens === undefined
      ? [`routes[${index}] needs a token, but the file has no tokens`]
      : []),
    ...(rateLimit !== undefined && !Object.hasOwn(rateLimits, rateLimit)
      ? [`routes[${index}] has the limit ${rateLimit}, which is not among the rateLimits`]
      : []),
  ]);
  return [...ofKeys, ...ofRoutes];
}
