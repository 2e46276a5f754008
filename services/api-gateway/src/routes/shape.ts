import { Compile } from 'typebox/compile';
import { type RouteFile, routeFileSchema } from './schema.ts';

const compiled = Compile(routeFileSchema);

/** Whether `value` has the shape of a route file; what is in it may still contradict itself. */
export function hasShape(value: unknown): value is RouteFile {
  return compiled.Check(value);
}

/** What keeps `value` from being a route file, field by field. */
export function shapeFaults(value: unknown): readonly string[] {
  const errors = compiled.Errors(value);
  // The schema of what may not be there says so a second time, as "schema is false".
  const told = errors.filter(({ keyword }) => keyword !== 'boolean').map((it) => sentence(it as ShapeError));
  return [...new Set(told)];
}

interface ShapeError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly message: string;
  readonly params: {
    readonly additionalProperties?: readonly string[];
    readonly requiredProperties?: readonly string[];
    readonly allowedValues?: readonly string[];
  };
}

function sentence({ keyword, instancePath, schemaPath, params, message }: ShapeError): string {
  const field = fieldName(instancePath);
  if (keyword === 'additionalProperties')
    return `${field} has what it cannot have: ${list(params.additionalProperties)}`;
  if (keyword === 'required') return `${field} lacks ${list(params.requiredProperties)}`;
  if (keyword === 'enum') return `${field} is not one of ${list(params.allowedValues)}`;
  const meant = keyword === 'pattern' ? descriptionAt(schemaPath) : undefined;
  return meant === undefined ? `${field} ${message}` : `${field} is not ${meant}`;
}

const list = (names: readonly string[] = []) => names.join(', ');

/** `/routes/3/path` as whoever wrote the file knows it: `routes[3].path`. */
function fieldName(pointer: string): string {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const name = steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('');
  return name.replace(/^\./, '') || 'the file';
}

function descriptionAt(schemaPath: string): string | undefined {
  let schema: unknown = routeFileSchema;
  for (const step of schemaPath.split('/').slice(1)) schema = (schema as Record<string, unknown> | undefined)?.[step];
  const { description } = (schema ?? {}) as { description?: unknown };
  return typeof description === 'string' ? description : undefined;
}
