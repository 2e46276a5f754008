import { parseDocument } from 'yaml';
import type { RouteFile } from './schema.ts';
import { hasShape, shapeFaults } from './shape.ts';
import { type RouteTable, routeTable } from './table.ts';

/** Why a route file is not taken: every fault of it. */
export class RouteFileError extends Error {
  override readonly name = 'RouteFileError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    super(`the route file has ${count}: ${faults.join('; ')}`);
    this.faults = faults;
  }
}

/** More would be a mistake, and costs memory before it is found. */
const maxBytes = 1024 * 1024;

/**
 * The routes that a file describes, as YAML or JSON: all of them, or none.
 *
 * @throws RouteFileError naming every fault
 */
export function readRoutes(text: string): RouteTable {
  const { table, faults } = routeTable(contentOf(text));
  if (faults.length > 0) throw new RouteFileError(faults);
  return table;
}

function contentOf(text: string): RouteFile {
  if (Buffer.byteLength(text) > maxBytes) throw new RouteFileError([`it is larger than ${maxBytes} bytes`]);
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0)
    throw new RouteFileError(document.errors.map(({ message }) => message.split('\n')[0] ?? ''));
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (!hasShape(content)) throw new RouteFileError(shapeFaults(content));
  return content;
}
