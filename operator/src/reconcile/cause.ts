import type { Reason } from '../api/conditions.ts';

/** Why something is not as it is asked for: the parts of a message, and whether waiting can help. */
export interface Cause {
  readonly reason: Reason;
  readonly what: string;
  readonly where: string;
  readonly remedy: string;
  /** Nothing gets better until somebody acts. */
  readonly permanent: boolean;
}

/** A cause that is known by now, and in how many milliseconds more may be known without any change in the cluster. */
export interface Finding {
  readonly cause?: Cause;
  readonly lookAgainMs?: number;
}

/** `<what> - <where> - <do this>`, at most as long as the schema allows. */
export function messageOf({ what, where, remedy }: Pick<Cause, 'what' | 'where' | 'remedy'>): string {
  const tail = ` - ${where} - ${remedy}`;
  return `${shortened(what, Math.max(1, 1024 - tail.length))}${tail}`.slice(0, 1024);
}

/** One line of at most `length` characters, without characters that control a terminal or turn text around. */
export function shortened(text: string, length = 240): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
