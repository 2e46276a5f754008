import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../../services/api-gateway/src/client-address.ts';

const of = (forwardedFor: string, trustedProxies: number, peer = '10.0.0.1') =>
  clientAddress({ peer, forwardedFor }, trustedProxies);

describe('the address of a client', () => {
  it('is that of the connection where no proxy is trusted, whatever is written in the header', () => {
    fc.assert(fc.property(fc.string(), (written) => of(written, 0) === '10.0.0.1'));
  });

  it.each([
    ['203.0.113.7', 1, '203.0.113.7'],
    ['1.1.1.1, 203.0.113.7', 1, '203.0.113.7'],
    ['1.1.1.1, 203.0.113.7 , 10.0.0.9', 2, '203.0.113.7'],
    ['203.0.113.7', 2, '10.0.0.1'],
    ['', 1, '10.0.0.1'],
    ['1.1.1.1, unknown', 1, '10.0.0.1'],
    ['1.1.1.1,', 1, '10.0.0.1'],
  ])('in "%s" with %d proxies in front is %s', (header, proxies, address) => {
    expect(of(header, proxies)).toBe(address);
  });

  it('cannot be chosen by whoever stands before the proxies', () => {
    const real = fc.ipV4();
    fc.assert(fc.property(fc.string(), real, (written, address) => of(`${written},${address}`, 1) === address));
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::1:2:3:4:5:6.7.8.9', '0:1:2:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ])('of IPv6 is that of its network: %s', (peer, address) => {
    expect(of('', 0, peer)).toBe(address);
  });
});
