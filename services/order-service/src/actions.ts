import { type HttpAnswer, type HttpClient, UpstreamError } from '@microservice-platform/common';
import type { Order } from './order.ts';
import type { Action, Outcome } from './saga.ts';

/** Asks the service in charge. @throws UpstreamError when there is no answer, or none that says what happened */
export type Act = (action: Action, order: Order) => Promise<Outcome>;

/** The actions of the saga, over REST. PUT by the order's id: asked for twice it happens once. */
export function remoteActions(services: { readonly inventory: HttpClient; readonly payment: HttpClient }): Act {
  const { inventory, payment } = services;
  return async (action, { id, product_id, quantity, user_id, total }) => {
    switch (action) {
      case 'reserve':
        return outcomeOf(
          action,
          await inventory.send('PUT', `/reservations/${id}`, { body: { product_id, quantity } }),
        );
      case 'charge':
        return outcomeOf(action, await payment.send('PUT', `/payments/${id}`, { body: { user_id, amount: total } }));
      case 'refund':
        return outcomeOf(action, await payment.send('POST', `/payments/${id}/refund`));
      case 'release':
        return outcomeOf(action, await inventory.send('POST', `/reservations/${id}/release`));
    }
  };
}

/** A 4xx is a refusal: asking again would not change it. Anything but that and 2xx says nothing of what happened. */
function outcomeOf(action: Action, { status, body }: HttpAnswer): Outcome {
  if (status >= 200 && status <= 299) return { kind: 'done' };
  if (status >= 400 && status <= 499 && status !== 408 && status !== 429) {
    return { kind: 'refused', reason: detailOf(body) ?? `${action} was answered ${status}` };
  }
  throw new UpstreamError('upstream_error', `${action} was answered ${status}`, { status });
}

function detailOf(body: Buffer): string | undefined {
  try {
    const { detail } = JSON.parse(body.toString('utf8')) as { detail?: unknown };
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}
