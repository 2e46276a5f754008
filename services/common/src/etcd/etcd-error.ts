/** etcd did not do what was asked. */
export class EtcdError extends Error {
  override readonly name: string = 'EtcdError';
  /** gRPC's code when etcd answered so: 5 is "not found", for instance a lease that is gone. None when none answered. */
  readonly grpcCode: number | undefined;

  constructor(message: string, options: { readonly grpcCode?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.grpcCode = options.grpcCode;
  }
}

/** The changes that a watch asks for are forgotten already: list, and watch from there. */
export class EtcdCompacted extends EtcdError {
  override readonly name = 'EtcdCompacted';

  constructor(revision: number, oldest: string) {
    super(`etcd has no changes before revision ${oldest} any more; asked for those after ${revision}`);
  }
}
