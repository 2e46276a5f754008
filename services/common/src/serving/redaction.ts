/** What stands in a log for a value that nobody may read there. */
export const redactedText = '[redacted]';

/** Names of values that are for nobody's eyes, without case, dashes and underscores; also as the end of a longer name. */
const secretName = /(password|passwd|passphrase|secret|token|authorization|cookie|apikey|privatekey|credentials?)$/;

/** As deep as the log writes objects. */
const maxDepth = 6;

/**
 * `value` without what is secret by its name, at any depth: the same object when there is nothing of that kind in it,
 * else a copy as the log would write it.
 */
export function redacted<T>(value: T): T {
  return plainly(value, 0) as T;
}

function plainly(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const plain: unknown = value.toJSON();
    return typeof plain === 'object' ? plainly(plain, depth + 1) : value;
  }
  const entries = Object.entries(value);
  const copy = entries.map(([name, it]): [string, unknown] => [name, redactedField(name, it, depth)]);
  if (copy.every(([, it], index) => it === entries[index]?.[1])) return value;
  return Array.isArray(value) ? copy.map(([, it]) => it) : Object.fromEntries(copy);
}

function redactedField(name: string, value: unknown, depth: number): unknown {
  const secret = secretName.test(name.toLowerCase().replace(/[-_]/g, ''));
  if (secret && value !== undefined && value !== null) return redactedText;
  return plainly(value, depth + 1);
}

/** A line of the log without the passwords of addresses and without what follows `Bearer` or `Basic`, wherever they stand. */
export function withoutCredentials(line: string): string {
  const plain = line.includes('://') ? line.replace(userInfo, `$1${redactedText}@`) : line;
  return plain.replace(/\b(Bearer|Basic)\s+[\w.~+/-]{8,}=*/gi, `$1 ${redactedText}`);
}

const userInfo = /(\b[a-z][a-z\d+.-]*:\/\/)[^\s/?#"\\]*@/gi;
