import { type HttpClient, Problem, UpstreamError } from '@microservice-platform/common';
import { isSilence } from './last-known.ts';
import type { Sources } from './orders.ts';

/**
 * Whether there is such a user. A shop that cannot ask takes the order all the same, and says so in it: an order of
 * nobody is refused when it is paid, a customer who is sent away is lost.
 */
export function remoteUsers(users: HttpClient): Sources['user'] {
  return async (id) => {
    try {
      await users.request('GET', `/users/${encodeURIComponent(id)}`);
      return { value: undefined, stale: false };
    } catch (error) {
      // 400: what can be no user's id is nobody's.
      if (error instanceof UpstreamError && (error.status === 404 || error.status === 400)) {
        throw new Problem('not_found', `user ${id} does not exist`, { cause: error });
      }
      if (isSilence(error)) return { value: undefined, stale: true };
      throw error;
    }
  };
}
