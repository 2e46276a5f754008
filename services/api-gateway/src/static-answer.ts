import type { Answer, Asked } from './answer.ts';
import type { StaticAnswer } from './routes/schema.ts';

/** What a route file says, without asking anyone. */
export function staticAnswer({ route }: Asked): Answer {
  return answerAsSaid(route.answer as StaticAnswer);
}

/** An answer as it is written in a route file. */
export function answerAsSaid({ status, headers = {}, body }: StaticAnswer): Answer {
  if (body === undefined) return { status, headers, body: '' };
  if (typeof body === 'string')
    return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}
