import { describe, expect, it } from 'vitest';
import type { LogOptions } from '../../../operator/src/cluster/resource.ts';
import { Follower } from '../../../operator/src/log-collector/follower.ts';
import type { Instance } from '../../../operator/src/log-collector/instance.ts';
import { Position } from '../../../operator/src/log-collector/position.ts';
import { openLog } from '../../../operator/src/support/log.ts';
import { eventually } from '../../support/eventually.ts';

const at = '2026-01-02T03:04:05';
const first = { container: 'orders', id: 'containerd://1', endedAt: new Date(`${at}Z`) };
const second: Instance = { container: 'orders', id: 'containerd://2', previous: false, endedAt: undefined };

/** A follower of a node that answers as told, what it has read, and how often it missed something. */
function following(answer: (options: LogOptions) => string) {
  const lines: string[] = [];
  const state = { missed: 0, asked: 0 };
  const follower = new Follower({
    name: 'shop/orders-1/orders',
    since: new Date(0),
    resume: () => Promise.resolve(new Position()),
    open: (options) => {
      state.asked += 1;
      return Promise.resolve(chunks(answer(options), options));
    },
    put: (entries) => {
      lines.push(...entries.map(({ line }) => line));
      return Promise.resolve();
    },
    log: openLog('error', 'test'),
    onOpen: () => undefined,
    onClose: () => undefined,
    onStranger: () => undefined,
    onMissed: () => {
      state.missed += 1;
    },
  });
  return { follower, lines, state };
}

/** What a node has written; of a run that goes on, the answer goes on, too. */
async function* chunks(text: string, { follow, signal }: LogOptions): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
  if (follow) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
}

describe('the follower of a container', () => {
  it('reads a run again, as the one before, when the next may have begun while it was read', async () => {
    // The node begins the next run before the status of the pod says so: the log of now is that of the next run.
    const { follower, lines, state } = following(({ previous }) =>
      previous ? `${at}.100000000Z last words of 1\n` : `${at}.200000000Z first words of 2\n`,
    );
    follower.update([{ ...first, previous: false }]);
    void follower.start();
    await eventually(() => expect(lines).toEqual(['first words of 2']));

    follower.update([{ ...first, previous: true }, second]);
    await eventually(() => expect(lines).toEqual(['first words of 2', 'last words of 1', 'first words of 2']));
    await follower.stop();
    expect(state).toEqual({ missed: 0, asked: 3 });
  });
});
