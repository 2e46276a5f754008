import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../cluster/paths.ts';
import { addCustomer, completed, placeOrder } from '../../manifests/proof.ts';
import { freePort } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../support/shop.ts';

const patience = { withinMs: 60_000, everyMs: 100 };

let shop: ChildProcess;
let url: string;
const lines: string[] = [];
const said = (text: string) => lines.filter((line) => line.includes(text)).length;

beforeAll(async () => {
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  shop = spawn('npm', ['run', 'dev'], { cwd: repository, env: { ...process.env, PORT: port }, detached: true });
  for (const stream of [shop.stdout, shop.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  await eventually(() => expect(said(`The shop is at ${url}`), lines.slice(-20).join('\n')).toBe(1), patience);
}, 90_000);

describe('npm run dev', () => {
  it('starts the whole shop as processes: an order goes through all its steps', async () => {
    const customer = await addCustomer(url);
    const { orderId } = await placeOrder(url, customer);
    await completed(url, customer, orderId);
    await eventually(async () => {
      const { authorization } = customer;
      const { body } = await ask(`${url}/notifications?order_id=${orderId}`, undefined, { authorization });
      expect(body.items).toHaveLength(1);
    }, patience);
  });

  it('starts a service anew when a file of it changes, and no other', async () => {
    const ready = (name: string) =>
      lines.filter((it) => it.startsWith(name) && it.includes('ready for requests')).length;
    const others = ready('user-service');
    const now = new Date();
    utimesSync(`${repository}/services/product-service/src/handlers.ts`, now, now);
    await eventually(() => expect(ready('product-service')).toBe(2), patience);
    await eventually(async () => expect((await ask(`${url}/products/1`)).status).toBe(200), patience);
    expect(ready('user-service')).toBe(others);
  });

  it('ends with all that it started at Ctrl-C', async () => {
    const ended = once(shop, 'close');
    process.kill(-(shop.pid as number), 'SIGINT');
    await ended;
    const left = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' });
    expect(left.split('\n').filter((line) => line.includes('--watch-preserve-output'))).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  }, 30_000);
});

afterAll(() => {
  if (shop.exitCode === null && shop.signalCode === null) process.kill(-(shop.pid as number), 'SIGKILL');
});
