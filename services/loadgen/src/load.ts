import type { Gateway } from './gateway.ts';
import { messages } from './messages.ts';
import { type Clock, keepPace, type Pace } from './pace.ts';
import type { Failure, Tally } from './tally.ts';
import { type Cast, type Kind, traffic } from './traffic.ts';

export interface LoadPlan extends Pace {
  readonly seed: number;
  readonly cast: Cast;
  /** Names the run: its requests' ids and idempotency keys begin with it. */
  readonly run: string;
  /** What would be more at once is not sent. */
  readonly maxInFlight: number;
}

/** As the log says it. */
export interface RequestFailure {
  readonly request_id: string;
  readonly kind: Kind;
  readonly reason: Failure;
  readonly detail: string | undefined;
}

export interface LoadDeps {
  readonly shop: Gateway;
  /** The header that says who asks. */
  readonly authorization: () => string;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly onFailure: (failure: RequestFailure) => void;
}

/** Sends the traffic of the plan at its rate, whatever the answers do; returns when nothing is under way any more. */
export async function runLoad(
  plan: LoadPlan,
  { shop, authorization, tally, clock, onFailure }: LoadDeps,
): Promise<void> {
  const wantedNext = traffic(plan.seed, plan.cast);
  const messageOf = messages(authorization);
  const underWay = new Set<Promise<void>>();
  let number = 0;

  const exchange = async (dueAt: number, kind: Kind, message: ReturnType<typeof messageOf>, request_id: string) => {
    const { outcome, detail } = await shop.send(message);
    tally.ended(kind, outcome, clock.now() - dueAt);
    if (outcome !== 'answered') onFailure({ request_id, kind, reason: outcome, detail });
  };

  await keepPace(plan, clock, (dueAt) => {
    const wanted = wantedNext.next().value; // also for one that is dropped: what is sent when follows from the seed
    number += 1;
    if (underWay.size >= plan.maxInFlight) {
      tally.dropped(wanted.kind);
      return;
    }
    tally.sent(clock.now() - dueAt);
    const requestId = `${plan.run}-${number}`;
    const asked = exchange(dueAt, wanted.kind, messageOf(wanted, requestId), requestId).finally(() =>
      underWay.delete(asked),
    );
    underWay.add(asked);
  });
  await Promise.all(underWay);
}
