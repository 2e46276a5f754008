import { isIP } from 'node:net';

/** One running instance of a service. */
export interface ServiceInfo {
  /** Unlike that of every other instance, also of one that died before: the name of the pod, or a random one. */
  readonly id: string;
  /** The service that it is an instance of. */
  readonly name: string;
  /** Where its callers reach it: a host name or an IP address. */
  readonly address: string;
  readonly port: number;
  /** What callers may want to know of it, for instance its version. No secrets: everybody can read it. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

/** Where the instances of a service are: all that a caller needs. */
export interface Discovery {
  /**
   * The healthy instances of a service; none is an answer, too. The first call for a name asks the registry. Later
   * ones are answered at once with what was last heard, also while the registry is away.
   *
   * @throws Error when the registry has not answered once within two seconds
   */
  readonly discover: (name: string) => Promise<readonly ServiceInfo[]>;
  /**
   * Calls `onChange` with all healthy instances of a service: with the first that are heard of, then whenever they
   * have changed. Goes on by itself when the registry comes back. The result ends it.
   */
  readonly watch: (name: string, onChange: (instances: readonly ServiceInfo[]) => void) => () => void;
  /** Ends every watch. */
  readonly close: () => Promise<void>;
}

/**
 * Where services say that they are there, and ask for each other. An adapter keeps what is registered alive by itself
 * (its heartbeat), and registers it anew when the registry forgot it. One that dies without goodbye leaves within a
 * time that the adapter states.
 */
export interface ServiceRegistry extends Discovery {
  /** Resolves once others can discover the instance. @throws Error when `info` is not valid, or the registry fails; nothing stays behind then */
  readonly register: (info: ServiceInfo) => Promise<void>;
  /** The instance says goodbye: nobody discovers it any more. One that is not registered here is no error. @throws Error when the registry fails; the instance leaves as if it had died */
  readonly deregister: (id: string) => Promise<void>;
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const instanceId = /^[\w.:-]{1,253}$/;
/** A registry is no place for data. */
const maxDetailsBytes = 4096;

/** Whether a host may be the name of a service: a DNS label, and not this machine. */
export function isServiceName(host: string): boolean {
  return label.test(host) && host !== 'localhost';
}

/** Whether it is a host name or an IP address. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 || hostName.test(text);
}

/** @throws Error that says what the name of a service is */
export function checkServiceName(name: string): void {
  if (!isServiceName(name)) {
    throw new Error(
      `${JSON.stringify(name)} is no name of a service: 1 to 63 of a-z, 0-9 and "-", which is not at an end`,
    );
  }
}

/** @throws Error that names all that is wrong with the description of an instance */
export function checkServiceInfo(info: ServiceInfo): void {
  const faults = [...faultsOf(info)];
  if (faults.length > 0) throw new Error(`the instance cannot be registered: ${faults.join('; ')}`);
}

/** The instance that somebody described, maybe another program. @throws Error when it is none */
export function readServiceInfo(described: unknown): ServiceInfo {
  const { id = '', name = '', address = '', port, metadata, tags = [] } = described as Partial<ServiceInfo>;
  const info = { id: String(id), name: String(name), address: String(address), port: Number(port) };
  const whole = { ...info, metadata: { ...metadata }, tags: [...tags] };
  checkServiceInfo(whole);
  return whole;
}

function* faultsOf({ id, name, address, port, metadata, tags }: ServiceInfo): Generator<string> {
  if (!instanceId.test(id)) yield 'id must be 1 to 253 of A-Z a-z 0-9 _ . : -';
  if (!isServiceName(name)) yield 'name must be a DNS label';
  if (!isAddress(address)) yield 'address must be a host name or an IP address';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) yield 'port must be a whole number from 1 to 65535';
  if (Buffer.byteLength(JSON.stringify([metadata, tags])) > maxDetailsBytes) {
    yield `metadata and tags must not be longer than ${maxDetailsBytes} bytes of JSON`;
  }
}

/** Where an instance is asked, as the first part of a URL. */
export function originOf({ address, port }: ServiceInfo, protocol = 'http:'): string {
  return `${protocol}//${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}
