/** How long each side of a connection may take, in milliseconds. */
export interface Timeouts {
  /** From the first byte of a request to its last: a peer that dribbles does not hold a connection. */
  readonly readMs: number;
  /** From the head of a request to the start of its answer; a peer then has `takeMs` to take the rest. */
  readonly answerMs: number;
  readonly takeMs: number;
  /** How long an idle connection is kept for the next request. */
  readonly keepAliveMs: number;
  /** One readiness check. */
  readonly checkMs: number;
}

export const timeouts: Timeouts = {
  readMs: 5_000,
  answerMs: 10_000,
  takeMs: 1_000,
  keepAliveMs: 120_000,
  checkMs: 2_000,
};

/** `promise`, or an error that says what was waited for once `ms` have passed. The work itself goes on. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
