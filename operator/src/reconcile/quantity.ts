/**
 * Whether two amounts are the same to Kubernetes: "500m" and "0.5", 1 and "1", "1024Mi" and "1Gi".
 * What is not an amount is the same only when it is equal.
 */
export function sameQuantity(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const [left, right] = [nanos(a), nanos(b)];
  return left !== undefined && left === right;
}

const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;
const decimalPowers: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryPowers: Readonly<Record<string, bigint>> = {
  Ki: 10n,
  Mi: 20n,
  Gi: 30n,
  Ti: 40n,
  Pi: 50n,
  Ei: 60n,
};

/** The amount in thousand-millionths, the smallest part that Kubernetes keeps; smaller parts are rounded up as it does. */
function nanos(value: unknown): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const [matched, sign, whole = '', fraction = '', unit = '', exponent = '0'] = form.exec(String(value)) ?? [];
  if (matched === undefined || whole + fraction === '') return undefined;
  const power = 9 - fraction.length + Number(exponent) + (decimalPowers[unit] ?? 0);
  const digits = BigInt(whole + fraction) << (binaryPowers[unit] ?? 0n);
  const amount = power >= 0 ? digits * 10n ** BigInt(power) : ceilingOf(digits, 10n ** BigInt(-power));
  return sign === '-' ? -amount : amount;
}

function ceilingOf(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
