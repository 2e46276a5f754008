import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzz, installedSchemathesis } from '../support/schemathesis.ts';
import { restServices, startWholeShop, type WholeShop } from '../support/whole-shop.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261_121);
const seconds = Number(process.env.FUZZ_SECONDS ?? 15);

let shop: WholeShop;
let schemathesis: string;

beforeAll(async () => {
  schemathesis = await installedSchemathesis();
  // Made-up users cannot exist; while nobody can tell, their orders are taken.
  shop = await startWholeShop({ USER_SERVICE_URL: 'http://127.0.0.1:1' });
}, 300_000);
afterAll(() => shop?.stop());

describe(`requests made up from its contract (FUZZ_SEED=${seed})`, () => {
  it.each(restServices)(
    'do not bring %s down, and are answered as its contract says',
    async (name) => {
      const { url, child, log } = shop.services[name];
      const { clean, report } = await fuzz(schemathesis, url, { seconds, seed });
      console.log(`${name}: ${/\d+ generated.*/.exec(report)?.[0] ?? 'no report'}`);
      expect(clean, report).toBe(true);
      expect([child.exitCode, log.filter(({ level }) => level === 'error')]).toEqual([null, []]);
    },
    (seconds + 60) * 1000,
  );
});
