import type { Shape } from './routes/schema.ts';

/** A field and, unless it is meant as a whole, what is meant within it. */
type Tree = ReadonlyMap<string, Tree>;

/** `content` with the fields of the shape only, or without them. A name goes through lists: `items.id` is the id of each. */
export function shaped(content: unknown, { keep, drop = [] }: Shape): unknown {
  return keep === undefined ? without(content, treeOf(drop)) : only(content, treeOf(keep));
}

/** The whole of a field contains each part of it. */
function treeOf(fields: readonly string[]): Tree {
  type Growing = Map<string, Growing>;
  const root: Growing = new Map();
  for (const field of [...fields].sort((a, b) => b.length - a.length)) {
    const names = field.split('.');
    let at = root;
    for (const name of names) {
      const next = at.get(name) ?? new Map();
      at.set(name, next);
      at = next;
    }
    at.clear(); // the shorter name comes later, and means all within it
  }
  return root;
}

function only(content: unknown, tree: Tree): unknown {
  if (tree.size === 0) return content;
  return mapped(content, (entries) =>
    entries.flatMap(([name, value]) => {
      const within = tree.get(name);
      return within === undefined ? [] : [[name, only(value, within)] as const];
    }),
  );
}

function without(content: unknown, tree: Tree): unknown {
  return mapped(content, (entries) =>
    entries.flatMap(([name, value]) => {
      const within = tree.get(name);
      if (within === undefined) return [[name, value] as const];
      return within.size === 0 ? [] : [[name, without(value, within)] as const];
    }),
  );
}

type Entries = readonly (readonly [name: string, value: unknown])[];

function mapped(content: unknown, change: (entries: Entries) => Entries): unknown {
  if (Array.isArray(content)) return content.map((it) => mapped(it, change));
  if (typeof content !== 'object' || content === null) return content;
  return Object.fromEntries(change(Object.entries(content)));
}
