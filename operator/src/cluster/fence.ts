import { DecoratorHandler, type Dispatcher } from 'undici';

/** Why a request was not sent. */
export const notLeader = 'this operator is not the leader';

/**
 * Looks at the clock once more when a request that changes something has got its connection and is about to be written
 * to it: a process that was paused while requests waited for a connection would else send them when it goes on.
 */
export function fenced(writesUntil: () => number): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, options.method === 'GET' ? handler : new FencedHandler(handler, writesUntil));
}

class FencedHandler extends DecoratorHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #writesUntil: () => number;

  constructor(handler: Dispatcher.DispatchHandler, writesUntil: () => number) {
    super(handler);
    this.#handler = handler;
    this.#writesUntil = writesUntil;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    // What is thrown here ends this request and leaves the connection as it is.
    if (performance.now() >= this.#writesUntil()) throw new Error(notLeader);
    this.#handler.onRequestStart?.(controller, context);
  }
}
