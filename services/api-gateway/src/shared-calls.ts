/** What a call gave, and whether this caller began it or joined it. */
export interface Shared<T> {
  readonly value: T;
  readonly joined: boolean;
}

interface Call<T> {
  readonly result: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}

/**
 * Makes one call of those that are for the same thing at the same time. One caller that leaves, by its `signal`, does
 * not end the call for the others; the last one does.
 */
export function sharedCalls<T>(): (
  key: string,
  signal: AbortSignal,
  begin: (signal: AbortSignal) => Promise<T>,
) => Promise<Shared<T>> {
  const underWay = new Map<string, Call<T>>();

  const begun = (key: string, begin: (signal: AbortSignal) => Promise<T>): Call<T> => {
    const end = new AbortController();
    const call: Call<T> = { result: begin(end.signal), end, waiting: 0 };
    underWay.set(key, call);
    const over = () => leave(key, call);
    call.result.then(over, over);
    return call;
  };
  const leave = (key: string, call: Call<T>) => {
    if (underWay.get(key) === call) underWay.delete(key);
  };

  return async (key, signal, begin) => {
    signal.throwIfAborted();
    const found = underWay.get(key);
    const call = found ?? begun(key, begin);
    call.waiting += 1;
    try {
      return { value: await unlessAborted(signal, call.result), joined: found !== undefined };
    } finally {
      call.waiting -= 1;
      if (call.waiting === 0) {
        leave(key, call); // who comes now begins anew
        call.end.abort(new Error('nobody waits for the answer any more'));
      }
    }
  };
}

function unlessAborted<T>(signal: AbortSignal, result: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
