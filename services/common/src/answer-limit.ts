import type { FastifyInstance } from 'fastify';
import { sendProblem } from './answers.ts';
import { type Answering, gaveUpHeader, received, whileAnswering } from './deadline.ts';
import { Problem } from './problem.ts';
import type { Timeouts } from './timeouts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborted when nobody waits for the answer any more: the caller has left, or it is too late. */
    abandoned: AbortSignal;
    /** What the calls made on its behalf must know of it. */
    answering: Answering;
  }
}

/**
 * After `answerMs`, or less if the caller says that it will not wait so long, a request without an answer is answered
 * 503; after `takeMs` more the connection is cut, so that a peer that does not take its answer holds nothing either.
 * Calls made meanwhile know what time is left; a 5xx answer says whether one of them was given up.
 * (fastify's own `handlerTimeout` ends with the request's body: a POST would have no limit.)
 */
export function limitAnswers(app: FastifyInstance, { answerMs: longestMs, takeMs }: Timeouts): void {
  app.decorateRequest('abandoned');
  app.decorateRequest('answering');
  app.addHook('onRequest', (request, reply, done) => {
    const abandoned = new AbortController();
    request.abandoned = abandoned.signal;
    const { answerMs, ...answering } = received(request.headers, longestMs);
    request.answering = answering;
    const late = setTimeout(() => {
      const problem = new Problem('unavailable', `no answer within ${answerMs} ms; try again later`);
      if (!reply.raw.headersSent) sendProblem(problem, request, reply);
      abandoned.abort(problem);
    }, answerMs);
    const stuck = setTimeout(() => request.raw.socket.destroy(), answerMs + takeMs);
    reply.raw.once('close', () => {
      clearTimeout(late);
      clearTimeout(stuck);
      if (!reply.raw.writableFinished) abandoned.abort(new Error('the caller has left'));
    });
    whileAnswering(answering, done);
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (reply.statusCode >= 500 && request.answering.gaveUp) reply.header(gaveUpHeader, 'true');
    done();
  });
}
