import { setInterval } from 'node:timers';
import { descendantsOf, signal } from './processes.ts';

/** How long work that was interrupted may take to put away what it holds. */
const graceMs = 1500;

/**
 * Lets ctrl-C, or a SIGTERM, end the work within two seconds: whatever was started is ended, and the work fails with
 * that; what does not is cut off. A second one ends at once. `farewell` is the last line that is said.
 */
export function endOnInterrupt(farewell: string): { readonly interrupted: () => boolean } {
  let interrupted = false;
  const exit = () => {
    signal(descendantsOf(process.pid), 'SIGKILL');
    process.exit(130);
  };
  const onSignal = () => {
    if (interrupted) exit();
    interrupted = true;
    console.error(`\n${farewell}`);
    signal(descendantsOf(process.pid), 'SIGTERM');
    // Until then nothing new is begun: whatever still starts is ended.
    setInterval(() => signal(descendantsOf(process.pid), 'SIGTERM'), 100).unref();
    setTimeout(exit, graceMs).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return { interrupted: () => interrupted };
}
