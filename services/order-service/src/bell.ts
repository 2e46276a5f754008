export interface Bell {
  readonly ring: () => void;
  /** Resolves when the bell is rung or was since it was last heard, after `ms`, or when `ended` aborts. */
  readonly heard: (ms: number, ended: AbortSignal) => Promise<void>;
}

/** Wakes one sleeper. A ring while nobody sleeps is remembered, so that no news is missed. */
export function bell(): Bell {
  let rung = false;
  let wake = () => {};
  return {
    ring: () => {
      rung = true;
      wake();
    },
    heard: async (ms, ended) => {
      if (!rung && !ended.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const stop = () => resolve();
        const timer = setTimeout(stop, ms);
        ended.addEventListener('abort', stop);
        await promise;
        clearTimeout(timer);
        ended.removeEventListener('abort', stop); // it lives as long as the process
      }
      rung = false;
    },
  };
}
