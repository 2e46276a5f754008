/** Fields that say the same in every line of a process. */
const known = new Set(['level', 'time', 'service', 'version', 'msg', 'trace_id', 'span_id', 'stack']);

/** A line of a service's log as a person at a terminal reads it; what is no JSON is left as it is. */
export function legible(service: string, line: string): string {
  const name = service.padEnd('notification-service'.length);
  const entry = parsed(line);
  if (entry === undefined) return `${name} ${line}`;
  const rest = Object.entries(entry).filter(([field]) => !known.has(field));
  const fields = rest.map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const level = entry.level === 'info' ? '' : `${String(entry.level).toUpperCase()} `;
  return `${name} ${level}${String(entry.msg)}  ${fields.join(' ')}`.trimEnd();
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
