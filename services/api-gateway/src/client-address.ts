import { isIP } from 'node:net';

/** Where a request comes from, as the connection and the proxies in front say. */
export interface Origin {
  /** The address at the other end of the connection. */
  readonly peer: string;
  readonly forwardedFor: string | undefined;
}

/**
 * The address that counts as one client. With `trustedProxies` in front, each of which adds whom it was asked by to
 * `X-Forwarded-For`, that is so many entries from its end: what stands before them anybody may have written. Without,
 * the header means nothing. Of an IPv6 address the first 64 bits count, since whoever has one has all below them.
 */
export function clientAddress({ peer, forwardedFor = '' }: Origin, trustedProxies: number): string {
  const entries = forwardedFor.split(',').map((entry) => entry.trim());
  const told = trustedProxies === 0 ? undefined : entries.at(-trustedProxies);
  const address = told !== undefined && isIP(told) !== 0 ? told : peer;
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  return isIP(address) === 6 ? network64(address) : address;
}

/** The first four groups of an IPv6 address, written out. */
function network64(address: string): string {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  if (tail === undefined) return networkOf(before);
  // A dotted quad at the end stands for two groups.
  const after = tail === '' ? [] : tail.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return networkOf([...before, ...zeros, ...after]);
}

const networkOf = (groups: readonly string[]) =>
  `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
