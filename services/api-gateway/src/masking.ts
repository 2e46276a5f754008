import { Counter, type Registry } from 'prom-client';
import type { Answer, Asked, Asking } from './answer.ts';
import { answerOf, isFailure, type Outcome, outcomeOf } from './outcome.ts';
import { answerAsSaid } from './static-answer.ts';

export const maskedHeader = 'x-masked';

/** Gives an answer in place of a failure, where the route has one: the last good one, or that of the route file. */
export function masking(
  registry: Registry,
  lastGood: (asked: Asked) => Answer | undefined,
): (asked: Asked, ask: Asking) => Promise<Answer> {
  const masked = new Counter({
    name: 'gateway_masked_answers_total',
    help: 'Failures that callers were spared, by what they were answered with: cached or default.',
    labelNames: ['route', 'with'],
    registers: [registry],
  });
  const substitute = (asked: Asked) => {
    const { cached, default: said } = asked.route.mask ?? {};
    const last = cached === true ? lastGood(asked) : undefined;
    if (last !== undefined) return { by: 'cached', answer: last };
    return said === undefined ? undefined : { by: 'default', answer: answerAsSaid(said) };
  };
  return async (asked, ask) => {
    if (asked.route.mask === undefined) return ask(asked);
    const outcome = await outcomeOf(() => ask(asked));
    if (!isFailure(outcome) || asked.signal.aborted) return answerOf(outcome);
    const found = substitute(asked);
    if (found === undefined) return answerOf(outcome);
    masked.inc({ route: asked.template, with: found.by });
    asked.request.log.warn({ with: found.by, ...accountOf(outcome) }, 'failure masked');
    const { status, headers, body } = found.answer;
    return { status, headers: { ...headers, [maskedHeader]: found.by }, body };
  };
}

function accountOf(outcome: Outcome): object {
  return outcome.status === 'rejected' ? { err: outcome.reason } : { answered: outcome.value.status };
}
