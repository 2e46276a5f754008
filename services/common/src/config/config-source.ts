/**
 * Where the values of settings come from, by the names of their variables: the environment, files, etcd. What a source
 * once said it says for as long as it cannot be asked: a value goes only when the source says so.
 */
export interface ConfigSource {
  /** As it is named beside the values that come from it. */
  readonly name: string;
  readonly has: (key: string) => boolean;
  /** @throws KeyNotFound */
  readonly get: (key: string) => string;
  /**
   * Tells which keys have another value than before, were added, or are gone; until the function that it gives is
   * called. `onTrouble` learns once why the source cannot be asked, and once, by undefined, that it can again. Neither
   * may throw.
   */
  readonly watch: (
    onChange: (keys: readonly string[]) => void,
    onTrouble?: (reason: string | undefined) => void,
  ) => () => void;
  readonly close: () => Promise<void>;
}

export class KeyNotFound extends Error {
  override readonly name = 'KeyNotFound';

  constructor(key: string) {
    super(`key not found: ${key}`);
  }
}

/** @throws KeyNotFound */
export function found(values: ReadonlyMap<string, string>, key: string): string {
  const value = values.get(key);
  if (value === undefined) throw new KeyNotFound(key);
  return value;
}
