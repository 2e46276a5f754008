import { Problem, UpstreamError } from '@microservice-platform/common';
import type { Answer } from './answer.ts';

/** What came of asking for an answer. */
export type Outcome = PromiseSettledResult<Answer>;

export async function outcomeOf(ask: () => Answer | Promise<Answer>): Promise<Outcome> {
  try {
    return { status: 'fulfilled', value: await ask() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}

/** @throws what was thrown */
export function answerOf(outcome: Outcome): Answer {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** Whether nobody answered, or only to say that it cannot. What is the caller's fault is an answer. */
export function isFailure(outcome: Outcome): boolean {
  if (outcome.status === 'fulfilled') return outcome.value.status >= 500;
  const { reason }: { reason: unknown } = outcome;
  return reason instanceof UpstreamError || (reason instanceof Problem && reason.status >= 500);
}
