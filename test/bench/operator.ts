import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorProcess } from '../support/operator-process.ts';
import type { Bed } from './bed.ts';
import { isCall, type RequestCount, requestsIn, total } from './requests.ts';

/**
 * The heap that Node takes in a pod with the memory limit of the chart, 384Mi. Outside it sizes the heap by the whole
 * machine, and is in no hurry to collect garbage.
 */
const asInPod = ['--max-old-space-size=256', '--max-semi-space-size=1'];

/** Does something while an operator runs; `options` are of Node. */
export async function withOperator<T>(
  { kubeconfig }: Bed,
  work: (operator: OperatorProcess) => Promise<T>,
  options: readonly string[] = [],
): Promise<T> {
  const env = { NODE_OPTIONS: [...asInPod, ...options].join(' ') };
  await using operator = await OperatorProcess.start(kubeconfig, env);
  const result = await work(operator);
  await operator.stop();
  return result;
}

/** What the metrics of an operator tell, as text. */
export async function metricsOf(operator: OperatorProcess): Promise<string> {
  const { status, text } = await operator.ask('/metrics');
  if (status !== 200) throw new Error(`the operator answered ${status} when asked for its metrics`);
  return text;
}

const everyMs = 100;
/** One that never comes to rest is found out by what it asks for at rest. */
const longestMs = 15_000;

/** Waits until the operator has asked the API server for nothing during a second, 15 s at most; gives its requests so far. */
export async function quiet(operator: OperatorProcess): Promise<readonly RequestCount[]> {
  const end = performance.now() + longestMs;
  let requests = requestsIn(await metricsOf(operator));
  let since = performance.now();
  while (performance.now() - since < 1_000 && performance.now() < end) {
    await sleep(everyMs);
    const now = requestsIn(await metricsOf(operator));
    if (total(now, isCall) !== total(requests, isCall)) since = performance.now();
    requests = now;
  }
  return requests;
}
