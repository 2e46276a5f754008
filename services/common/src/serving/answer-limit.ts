import type { FastifyInstance } from 'fastify';
import { type Answering, gaveUpHeader, received, whileAnswering } from '../calls/deadline.ts';
import { sendProblem } from './answers.ts';
import { Problem } from './problem.ts';
import type { Timeouts } from './timeouts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborted when nobody waits for the answer any more: the caller has left, or it is too late. */
    abandoned: AbortSignal;
    /** What the calls made on its behalf must know of it. */
    answering: Answering;
    /** For an answer that is a stream: moves the limit, so that it is cut `ms` from now and not before. */
    mayTake: (ms: number) => void;
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
  app.decorateRequest('mayTake');
  app.addHook('onRequest', (request, reply, done) => {
    const abandoned = new AbortController();
    request.abandoned = abandoned.signal;
    const { answerMs, ...answering } = received(request.headers, longestMs);
    request.answering = answering;
    const giveUp = (ms: number) => {
      const problem = new Problem('unavailable', `no answer within ${ms} ms; try again later`);
      if (!reply.raw.headersSent) sendProblem(problem, request, reply);
      abandoned.abort(problem);
    };
    const limit = (ms: number) => [
      setTimeout(giveUp, ms, ms),
      setTimeout(() => request.raw.socket.destroy(), ms + takeMs),
    ];
    let limits = limit(answerMs);
    const lift = () => {
      for (const timer of limits) clearTimeout(timer);
    };
    request.mayTake = (ms) => {
      lift();
      if (!reply.raw.destroyed) limits = limit(ms);
    };
    reply.raw.once('close', () => {
      lift();
      if (!reply.raw.writableFinished) abandoned.abort(new Error('the caller has left'));
    });
    whileAnswering(answering, done);
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (reply.statusCode >= 500 && request.answering.gaveUp) reply.header(gaveUpHeader, 'true');
    done();
  });
}
