import type { KubeObject, Manifest, ObjectRef } from '../api/object.ts';

/** One thing to do about one child, and why. */
export type Step =
  /** There is none yet, as far as is known. */
  | { readonly kind: 'create'; readonly manifest: Manifest }
  /** It is ours and is not what is asked for. */
  | {
      readonly kind: 'apply';
      readonly manifest: Manifest;
      readonly live: KubeObject;
      readonly because: string;
    }
  /** The autoscaler is about to set the replica count; until it does, the count stays what it is. */
  | { readonly kind: 'handover'; readonly manifest: Manifest; readonly because: string }
  /** It is ours and is no longer asked for. */
  | {
      readonly kind: 'remove';
      readonly child: ObjectRef & { readonly uid: string };
      readonly because: string;
    }
  /** It is on its way out; the next one is created when it is gone. */
  | { readonly kind: 'wait'; readonly child: ObjectRef; readonly because: string }
  /** It belongs to somebody else, and stays as it is. */
  | { readonly kind: 'refuse'; readonly child: ObjectRef; readonly because: string };
