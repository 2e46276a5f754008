/** One variable of the environment: its name, and how its text becomes a value. */
export interface Setting<T> {
  readonly variable: string;
  /** Used when the variable is absent. A setting without a default must be given. */
  readonly fallback?: T;
  /** Its value is shown to nobody. */
  readonly secret?: true;
  /** Returns the value, or throws an Error whose message completes the sentence "VARIABLE ...". */
  readonly parse: (text: string) => T;
}

export type ConfigSchema = Readonly<Record<string, Setting<unknown>>>;

export type ConfigOf<S extends ConfigSchema> = {
  readonly [Key in keyof S]: S[Key] extends Setting<infer T> ? T : never;
};

/** What is wrong with the configuration: every fault, not only the first. Values of secrets are never in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[], place = 'the environment') {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    super(`${place} has ${count}; set these variables and start again:\n  ${faults.join('\n  ')}`);
    this.faults = faults;
  }
}

/**
 * Reads the environment, or what stands for it, once, at start. A default stands in only for an absent variable, never
 * for a bad one.
 *
 * @throws ConfigError naming every fault at once, and `place`
 */
export function readConfig<S extends ConfigSchema>(
  env: NodeJS.ProcessEnv,
  schema: S,
  place?: string,
): Readonly<ConfigOf<S>> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(schema)) {
    try {
      values[key] = readSetting(env[setting.variable], setting);
    } catch (error) {
      faults.push(`${setting.variable} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults, place);
  return Object.freeze(values) as ConfigOf<S>;
}

/** The value of one variable. @throws Error whose message completes the sentence "VARIABLE ..." */
export function readSetting<T>(text: string | undefined, setting: Setting<T>): T | undefined {
  if (text !== undefined) return setting.parse(text);
  if ('fallback' in setting) return setting.fallback;
  throw new Error('is not set');
}

/** A text that is not empty. */
export function text(variable: string, fallback?: string): Setting<string> {
  return setting(variable, fallback, (given) => {
    if (given.trim() === '') throw new Error('is empty');
    return given;
  });
}

/** As {@link text}, without a default: a secret that everybody knows is none. Its value appears in no message. */
export function secret(variable: string): Setting<string> {
  return { ...text(variable), secret: true };
}

/** A secret that whoever calls us must hold: none, or one that can be sent in a header and is too long to be guessed. */
export function optionalToken(variable: string): Setting<string | undefined> {
  return {
    variable,
    secret: true,
    fallback: undefined,
    parse: (given) => {
      if (/^[\w.~+/-]{16,}=*$/.test(given)) return given;
      throw new Error('is not at least 16 of the characters A-Z a-z 0-9 - . _ ~ + /');
    },
  };
}

/** A whole number in plain decimal digits, within bounds. */
export function integer(
  variable: string,
  { min, max }: { readonly min: number; readonly max: number },
  fallback?: number,
): Setting<number> {
  return setting(variable, fallback, (given) => {
    const value = Number(given);
    if (!/^-?\d{1,15}$/.test(given) || value < min || value > max) {
      throw new Error(`is ${quoted(given)}, not a whole number from ${min} to ${max}`);
    }
    return value;
  });
}

/** A TCP port. 0 leaves the choice to the system; the log names what was chosen. */
export function port(variable: string, fallback?: number): Setting<number> {
  return integer(variable, { min: 0, max: 65_535 }, fallback);
}

/** One of a closed list. */
export function oneOf<const T extends string>(
  variable: string,
  allowed: readonly T[],
  fallback?: NoInfer<T>,
): Setting<T> {
  return setting(variable, fallback, (given) => {
    const match = allowed.find((value) => value === given);
    if (match === undefined) throw new Error(`is ${quoted(given)}, not one of ${allowed.join(', ')}`);
    return match;
  });
}

/** An http or https address, returned without a slash at its end. */
export function url(variable: string, fallback?: string): Setting<string> {
  return setting(variable, fallback, (given) => {
    const parsed = URL.parse(given);
    if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
      throw new Error('is not an http or https address');
    }
    if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
      throw new Error('must hold scheme, host, port and path only');
    }
    return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
  });
}

/** Addresses as {@link url} takes them, at least one, with commas between them. */
export function urls(variable: string): Setting<readonly string[]> {
  const one = url(variable);
  return setting(variable, undefined, (given) => given.split(',').map((each) => one.parse(each.trim())));
}

function setting<T>(variable: string, fallback: T | undefined, parse: (text: string) => T): Setting<T> {
  return fallback === undefined ? { variable, parse } : { variable, parse, fallback };
}

function quoted(given: string): string {
  return JSON.stringify(given.length > 40 ? `${given.slice(0, 40)}...` : given);
}

/** What every service reads. */
export const baseConfig = {
  serverHost: text('SERVER_HOST', '0.0.0.0'),
  serverPort: port('SERVER_PORT', 8080),
  logLevel: oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error'], 'info'),
  version: text('SERVICE_VERSION', '0.1.0'),
  drainMs: integer('SHUTDOWN_DRAIN_MS', { min: 0, max: 60_000 }, 5_000),
  faultsToken: optionalToken('FAULTS_TOKEN'),
} as const;

/** What a service with a database of its own reads besides. */
export const databaseConfig = {
  dbHost: text('DB_HOST'),
  dbPort: port('DB_PORT', 5432),
  dbUser: text('DB_USER'),
  dbPassword: secret('DB_PASSWORD'),
  dbName: text('DB_NAME'),
} as const;
