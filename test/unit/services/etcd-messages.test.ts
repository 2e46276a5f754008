import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangeOf } from '../../../services/common/src/etcd/etcd-messages.ts';

describe('the range of a prefix', () => {
  it('holds exactly the keys that begin with it', () => {
    const unit = fc.constantFrom('a', 'b', '/', '0', '\u0000', '\u007f', 'ü', '\u{10ffff}');
    const prefixes = fc.string({ unit, minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(prefixes, fc.string({ unit, maxLength: 5 }), fc.boolean(), (prefix, rest, inside) => {
        const key = Buffer.from(inside ? prefix + rest : rest);
        const { key: from, range_end } = rangeOf(prefix);
        const within =
          Buffer.compare(key, Buffer.from(from, 'base64')) >= 0 &&
          Buffer.compare(key, Buffer.from(range_end, 'base64')) < 0;
        expect(within).toBe(key.toString().startsWith(prefix));
      }),
    );
  });
});
