/** Does one piece of work under a title, and says how long it took. `note` takes lines that show that it goes on. */
export type Step = <T>(title: string, work: (note: (line: string) => void) => Promise<T>) => Promise<T>;

const quietMs = 15_000;

/**
 * Shows steps as plain lines: when one takes longer than a quarter of a minute, the last line of its output, so that
 * nobody has to wonder; at the end its time.
 */
export function progress(write: (line: string) => void, now: () => number): Step {
  return async (title, work) => {
    const started = now();
    const seconds = () => `${((now() - started) / 1000).toFixed(1)} s`;
    let last = '';
    const timer = setInterval(() => write(`    ${title}: ${seconds()}  ${last.slice(0, 90)}`), quietMs);
    try {
      const result = await work((line) => {
        last = line.trim();
      });
      write(`  ✓ ${title} (${seconds()})`);
      return result;
    } catch (error) {
      write(`  ✗ ${title} (${seconds()})`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  };
}
