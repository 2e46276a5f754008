import { Problem, UpstreamError } from '@microservice-platform/common';
import type { Answer, Asked } from './answer.ts';
import type { Shape } from './routes/schema.ts';
import { shaped } from './shaping.ts';

export const profileHeader = 'x-client-profile';

/**
 * The shape that this client gets its answer in; undefined for all there is.
 *
 * @throws Problem when the client says that it is something that no client is
 */
export function shapeFor({ route, generation, request }: Asked): Shape | undefined {
  const profile = request.headers[profileHeader];
  if (route.shapes === undefined || profile === undefined) return undefined;
  const { profiles } = generation.table;
  if (typeof profile !== 'string' || !profiles.includes(profile)) {
    throw new Problem('invalid_request', `${profileHeader} must be one of ${profiles.join(', ')}`);
  }
  return Object.hasOwn(route.shapes, profile) ? route.shapes[profile] : undefined;
}

/**
 * A good answer in that shape; errors stay as they are. Where there are shapes, it says that it depends on the client.
 *
 * @throws UpstreamError when it says that it is JSON and is not
 */
export function inShape(answer: Answer, { route }: Asked, shape: Shape | undefined): Answer {
  if (route.shapes === undefined) return answer;
  const { etag, vary, ...others } = answer.headers;
  const headers = { ...others, vary: vary === undefined ? profileHeader : `${vary}, ${profileHeader}` };
  const isJson = /^application\/json\b/.test(answer.headers['content-type'] ?? '');
  if (shape === undefined || answer.status >= 300 || !isJson || answer.body.length === 0) {
    return { ...answer, headers: { ...headers, ...(etag === undefined ? {} : { etag }) } };
  }
  return { ...answer, headers, body: JSON.stringify(shaped(contentOf(answer.body), shape)) };
}

function contentOf(body: Buffer | string): unknown {
  try {
    return JSON.parse(String(body));
  } catch (error) {
    throw new UpstreamError('upstream_error', 'the answer says that it is JSON and is not', { cause: error });
  }
}
