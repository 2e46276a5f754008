import { describe, expect, it } from 'vitest';
import { checkName } from '../../../cluster/preflight.ts';
import { progress } from '../../../cluster/progress.ts';
import { run } from '../../../cluster/run.ts';
import { waitFor } from '../../../cluster/wait-for.ts';

describe('a command', () => {
  it('that fails is reported with its name, its exit code and its last words', async () => {
    const failed = run('sh', ['-c', 'echo first; echo "no space left" >&2; exit 3']);
    await expect(failed).rejects.toThrow(/^sh -c .*: exit code 3\n[\s\S]*no space left/);
  });

  it('that does not end is ended, and says after how long', async () => {
    await expect(run('sleep', ['60'], { timeoutMs: 200 })).rejects.toThrow('sleep 60: no end after 0.2 s');
  });

  it('that is not there says so', async () => {
    await expect(run('no-such-command', [])).rejects.toThrow(/no-such-command.*ENOENT/);
  });

  it('gets its input on standard input, where no list of processes shows it', async () => {
    expect(await run('cat', [], { input: 'a secret' })).toBe('a secret');
  });
});

describe('waiting', () => {
  it('ends with the answer', async () => {
    let asked = 0;
    expect(await waitFor('three questions', async () => ++asked === 3 && asked, { everyMs: 1 })).toBe(3);
  });

  it('that is in vain says what for, and what was seen last', async () => {
    const inVain = waitFor('the moon', () => Promise.reject(new Error('clouds')), { timeoutMs: 20, everyMs: 1 });
    await expect(inVain).rejects.toThrow('waited 0.02 s for the moon; last seen: clouds');
  });

  it('that is in vain does not tell of a failure that was over', async () => {
    let asked = 0;
    const ask = async () => {
      asked += 1;
      if (asked === 1) throw new Error('clouds');
      return false as const;
    };
    const inVain = waitFor('the moon', ask, { timeoutMs: 20, everyMs: 1 });
    await expect(inVain).rejects.toThrow(/^waited 0\.02 s for the moon$/);
  });
});

describe('the name of a cluster', () => {
  it.each(['default', 'a', 'team-7'])('may be %s', (name) => {
    expect(checkName(name)).toBe(name);
  });

  it.each(['', 'Upper', '../up', 'a b', '7up', 'x'.repeat(21)])('is refused with its form: %j', (name) => {
    expect(() => checkName(name)).toThrow('use 1 to 20 small letters');
  });
});

describe('a step', () => {
  it('says how long it took, also when it fails', async () => {
    const lines: string[] = [];
    let now = 0;
    const step = progress({ line: (text) => lines.push(text) }, () => now);
    await step('build', async () => {
      now += 1500;
    });
    await expect(step('start', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(lines).toEqual(['  ✓ build (1.5 s)', '  ✗ start (0.0 s)']);
  });

  it('is one line among all that go on, on a terminal', async () => {
    const shown: string[] = [];
    const step = progress({ line: (text) => shown.push(`${text}\n`), update: (text) => shown.push(text) }, () => 0);
    const pause = (note: (line: string) => void) => {
      note('nearly there');
      return new Promise((resolve) => setTimeout(resolve, 20));
    };
    await Promise.all([step('one', pause), step('two', pause)]);
    expect(shown).toContain('one: 0.0 s  nearly there; two: 0.0 s  nearly there');
    expect(shown.filter((text) => text.endsWith('\n'))).toEqual(['  ✓ one (0.0 s)\n', '  ✓ two (0.0 s)\n']);
  });
});
