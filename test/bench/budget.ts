/** Something that must not be more than its limit. */
export interface Budget {
  readonly what: string;
  readonly limit: number;
  readonly found: number;
}

/** Whether the limit is kept. What could not be counted is not. */
export function isKept({ limit, found }: Budget): boolean {
  return found <= limit;
}
