const steps = [
  { from: 1e9, suffix: ' G' },
  { from: 1e6, suffix: ' M' },
  { from: 1e3, suffix: ' k' },
];

/** A value as Grafana writes it in a unit. */
export function shown(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  switch (unit) {
    case 's':
      return duration(value);
    case 'percentunit':
      return `${rounded(value * 100)} %`;
    case 'bytes':
      return `${scaled(value, [1024 ** 3, 1024 ** 2, 1024], ['GiB', 'MiB', 'KiB'])}`;
    case 'reqps':
      return `${rounded(value)} req/s`;
    case 'ops':
      return `${rounded(value)} /s`;
    default:
      return short(value);
  }
}

function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 1) return `${rounded(seconds * 1000)} ms`;
  if (size < 120) return `${rounded(seconds)} s`;
  if (size < 7200) return `${rounded(seconds / 60)} min`;
  return size < 172_800 ? `${rounded(seconds / 3600)} h` : `${rounded(seconds / 86_400)} d`;
}

function scaled(value: number, sizes: readonly number[], names: readonly string[]): string {
  const at = sizes.findIndex((size) => Math.abs(value) >= size);
  return at < 0 ? `${rounded(value)} B` : `${rounded(value / (sizes[at] ?? 1))} ${names[at]}`;
}

function short(value: number): string {
  const step = steps.find(({ from }) => Math.abs(value) >= from * 10);
  return step === undefined ? rounded(value) : `${rounded(value / step.from)}${step.suffix}`;
}

/** Three figures that count, and no more. */
function rounded(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(value.toFixed(digits))) === '0' ? value.toPrecision(2) : String(Number(value.toFixed(digits)));
}
