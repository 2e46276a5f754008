import { Agent, request } from 'undici';
import { type BudgetsLeft, percentLeft } from '../api/objectives.ts';

/** Made by the rules of the chart: 1 is an untouched budget, 0 one that is used up. */
const metric = 'slo:error_budget:remaining_ratio';

/** Prometheus gives up on a query of its own after 2 minutes; nobody waits that long for this one. */
const longestMs = 10_000;
/** Two objectives of each of 50,000 Microservices are below this. */
const mostBytes = 32 * 1024 * 1024;

/** Prometheus has no answer for us. The message is one for people, and the same as long as the cause is. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** One Prometheus, asked for the error budgets of all Microservices at once. */
export class Prometheus {
  readonly #url: string;
  readonly #agent = new Agent({ connections: 1, connect: { timeout: longestMs } });

  /** @param address that of its pages; /api/v1/query is added to it */
  constructor(address: string) {
    this.#url = `${address.replace(/\/+$/, '')}/api/v1/query?query=${encodeURIComponent(metric)}`;
  }

  /**
   * What is left of every error budget, by `namespace/name`.
   * @throws NoAnswer within 10 s
   */
  async budgetsLeft(): Promise<ReadonlyMap<string, BudgetsLeft>> {
    return budgetsIn(await this.#ask());
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask(): Promise<string> {
    const signal = AbortSignal.timeout(longestMs);
    try {
      const { statusCode, body } = await request(this.#url, { dispatcher: this.#agent, signal });
      if (statusCode !== 200) {
        await body.dump();
        throw new NoAnswer(`Prometheus answers HTTP ${statusCode}`);
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > mostBytes) throw new NoAnswer('Prometheus answers more than 32 MiB');
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      const late = signal.aborted;
      throw new NoAnswer(late ? 'Prometheus does not answer within 10 s' : 'Prometheus cannot be reached', {
        cause: error,
      });
    }
  }
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/**
 * The budgets in an answer of /api/v1/query. Samples that are no number, or of nothing that we know, are left out; of two
 * for the same objective, as while Prometheus changes pods, the smaller counts.
 */
export function budgetsIn(text: string): ReadonlyMap<string, BudgetsLeft> {
  const budgets = new Map<string, BudgetsLeft>();
  for (const { metric: labels, value } of samplesIn(text)) {
    const { namespace, service, slo } = labels;
    const ratio = Number(value[1]);
    if (!namespace || !service || (slo !== 'availability' && slo !== 'latency') || !Number.isFinite(ratio)) continue;
    const id = `${namespace}/${service}`;
    const known = budgets.get(id);
    budgets.set(id, { ...known, [slo]: Math.min(percentLeft(ratio), known?.[slo] ?? Number.POSITIVE_INFINITY) });
  }
  return budgets;
}

function samplesIn(text: string): readonly Sample[] {
  try {
    const { status, data } = JSON.parse(text) as { status: string; data: { resultType: string; result: unknown } };
    if (status === 'success' && data.resultType === 'vector' && Array.isArray(data.result)) {
      return data.result.filter(isSample);
    }
  } catch {
    // Said below.
  }
  throw new NoAnswer('Prometheus answers something that is no result of a query');
}

function isSample(value: unknown): value is Sample {
  const { metric, value: pair } = (value ?? {}) as Partial<Sample>;
  return typeof metric === 'object' && metric !== null && Array.isArray(pair) && typeof pair[1] === 'string';
}
