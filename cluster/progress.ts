/** Does one piece of work under a title, and says how long it took. `note` takes lines that show that it goes on. */
export type Step = <T>(title: string, work: (note: (line: string) => void) => Promise<T>) => Promise<T>;

export interface Output {
  readonly line: (line: string) => void;
  /** Replaces the last line of a terminal; absent where the output is kept, and only whole lines make sense. */
  readonly update?: (line: string) => void;
}

const [firstMs, everyMs, updateMs] = [2000, 15_000, 1000];

/**
 * Shows steps. On a terminal one line tells of all that goes on. Elsewhere a step that takes longer than a moment says
 * that it began, and every quarter of a minute the last line of its output, so that nobody has to wonder. At the end
 * each gives its time.
 */
export function progress({ line, update }: Output, now: () => number): Step {
  const going = new Set<() => string>();
  const refresh = () => update?.([...going].map((show) => show()).join('; '));
  return async (title, work) => {
    const started = now();
    const seconds = () => `${((now() - started) / 1000).toFixed(1)} s`;
    let last = '';
    const show = () => `${title}: ${seconds()}  ${last.slice(0, 90)}`.trimEnd();
    const tell = () => (update ? refresh() : line(`    ${show()}`));
    const first = setTimeout(tell, update ? 0 : firstMs);
    const timer = setInterval(tell, update ? updateMs : everyMs);
    going.add(show);
    const end = (mark: string) => {
      going.delete(show);
      clearTimeout(first);
      clearInterval(timer);
      update?.('');
      line(`  ${mark} ${title} (${seconds()})`);
      refresh();
    };
    try {
      const result = await work((text) => {
        last = text.trim();
      });
      end('✓');
      return result;
    } catch (error) {
      end('✗');
      throw error;
    }
  };
}

/** Standard error: rewritten lines on a terminal, plain lines where it is kept. */
export function standardError(): Output {
  const { stderr } = process;
  const line = (text: string) => console.error(text);
  if (!stderr.isTTY || process.env.TERM === 'dumb') return { line };
  return { line, update: (text) => stderr.write(`\r\x1b[2K${text.slice(0, (stderr.columns ?? 80) - 1)}`) };
}
