import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { logOptions } from '../../../services/common/src/serving/log.ts';

/** The lines that a service's log writes. */
function recorded() {
  const lines: string[] = [];
  const options = logOptions({ name: 'shop', version: '1.2.3', logLevel: 'info' });
  return { lines, log: pino(options, { write: (line: string) => void lines.push(line) }) };
}

const secretNames = [
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'password',
  'dbPassword',
  'token',
  'access_token',
  'secret',
  'client_secret',
  'privateKey',
];
/** Texts that stand nowhere by chance. */
const secret = fc.uuid().map((id) => `hidden-${id}`);
const harmless = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));

/** Something that holds the secret under a telling name, below up to four objects and lists with other things in them. */
const holding = fc.tuple(secret, fc.constantFrom(...secretNames), fc.array(fc.boolean(), { maxLength: 4 }), harmless);

describe('the log of a service', () => {
  it('shows nothing that is secret by its name, however deep, in fields and in errors', () => {
    const places = ['fields', 'error'] as const;
    const example = fc.tuple(holding, fc.constantFrom(...places));
    fc.assert(
      fc.property(example, ([[value, name, lists, beside], place]) => {
        const held = lists.reduce<unknown>((inner, inList) => (inList ? [beside, inner] : { inner, beside }), {
          [name]: value,
          list: { [name]: [value, { deeper: value }] },
        });
        const { lines, log } = recorded();
        if (place === 'fields') log.info({ held }, 'a line');
        else log.error({ err: Object.assign(new Error('failed'), { held }) }, 'a line');
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain(value);
        expect(lines[0]).toContain('[redacted]');
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'a line' });
      }),
    );
  });

  it('shows no password of an address and nothing after Bearer, wherever a text holds them', () => {
    const password = secret;
    const texts = (value: string) => [
      `cannot reach amqp://shop:${value}@rabbitmq:5672/%2f`,
      `redis://:${value}@redis and postgres://orders:${value}@db:5432/orders`,
      `sent {"Authorization":"Bearer ${value}"}`,
      `Basic ${Buffer.from(`shop:${value}`).toString('base64')}`,
    ];
    fc.assert(
      fc.property(password, fc.nat(3), (value, which) => {
        const text = texts(value)[which] ?? '';
        const { lines, log } = recorded();
        log.info(text);
        log.info({ list: [{ text }] }, 'fields');
        log.error(new Error(text));
        expect(lines).toHaveLength(3);
        for (const line of lines) {
          expect(line).not.toContain(value);
          expect(line).not.toContain(Buffer.from(`shop:${value}`).toString('base64'));
          expect(() => JSON.parse(line)).not.toThrow();
        }
      }),
    );
  });

  it('leaves everything else as it is', () => {
    const { lines, log } = recorded();
    const at = new Date(0);
    const fields = {
      tokens: 3,
      secretary: 'Ada',
      idempotency_key: 'k',
      url: 'http://db:5432/a@b',
      at,
      list: [1, { a: 2 }],
    };
    log.info({ ...fields, nothing: undefined }, 'a line');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...fields, at: at.toJSON(), service: 'shop', version: '1.2.3' });
  });

  it('ends with what refers to itself', () => {
    const { lines, log } = recorded();
    const own: Record<string, unknown> = { password: 'hidden-1' };
    own.self = own;
    log.info({ own }, 'a line');
    expect(lines[0]).not.toContain('hidden-1');
  });
});
