/**
 * What is plain in a path and what is not (RFC 3986): letters, digits, `-._~`, the sub-delimiters, `:`, `@`, and octets
 * as `%` and two hexadecimal digits.
 */
const plain = /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*$/i;

/** Octets that another server may read as what ends or divides a path: NUL to US, space's kin, `/`, `\`, `.`, `%`, DEL. */
const hidden = /%(?:[01][\da-f]|2f|5c|2e|25|7f)/i;

/**
 * Why `path`, without its query, could mean one thing here and another at a backend; undefined when it cannot. Such a
 * path is refused, not mended: what was checked must be what is asked for.
 */
export function pathFault(path: string): string | undefined {
  if (!plain.test(path)) return 'the path holds characters that must be percent-encoded';
  if (hidden.test(path)) return 'the path hides characters that divide or end a path';
  const segments = path.split('/').slice(1);
  if (segments.some((it) => it === '.' || it === '..')) return 'the path has a dot segment';
  if (segments.slice(0, -1).includes('')) return 'the path has an empty segment';
  return undefined;
}
