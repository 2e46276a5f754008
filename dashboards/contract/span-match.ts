import type { Span } from './signal.ts';

/** A span as a backend has it. */
export interface SeenSpan {
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Whether a span is of a declared kind, by its name: a template in which attributes stand for themselves. */
export function isNamed({ name, kind }: Span, seen: SeenSpan): boolean {
  if (kind !== seen.kind) return false;
  const parts = name.split(/\{([^}]+)\}/).map((part, at) => (at % 2 === 0 ? literally(part) : filledIn(seen, part)));
  return new RegExp(`^${parts.join('')}$`).test(seen.name);
}

/** Attributes that a span should have and has not, and those that it should not have and has. */
export function attributeFaults({ always, sometimes = [] }: Span, { attributes }: SeenSpan): readonly string[] {
  const has = Object.keys(attributes);
  return [
    ...always.filter((it) => !has.includes(it)).map((it) => `without ${it}`),
    ...has.filter((it) => !always.includes(it) && !sometimes.includes(it)).map((it) => `with ${it}`),
  ];
}

function filledIn({ attributes }: SeenSpan, attribute: string): string {
  const value = attributes[attribute];
  return value === undefined ? '\\S+' : literally(String(value));
}

const literally = (words: string) => words.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
