/**
 * Writes everything that follows from crds/ and dashboards/: the types of the operator, the chart's copy of the definition,
 * the reference pages, and the chart's dashboards and alerts. With --check it writes nothing and fails when a file is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { alertFiles } from '../dashboards/alerts/files.ts';
import { telemetryPage } from '../dashboards/contract/page.ts';
import { dashboardFiles } from '../dashboards/files.ts';

const source = 'crds/microservice-platform.io_microservices.yaml';

/** The part of a structural schema that the generated files speak about. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[];
}

/** The schema of the one version in a CustomResourceDefinition. */
export function schemaOf(definition: string): Schema {
  return parse(definition).spec.versions[0].schema.openAPIV3Schema;
}

/** The name of an interface for each object of the schema that code speaks about by name. */
const interfaceNames: Readonly<Record<string, string>> = {
  spec: 'MicroserviceSpec',
  'spec.ports[]': 'Port',
  'spec.env[]': 'EnvVar',
  'spec.env[].valueFrom': 'EnvVarSource',
  'spec.env[].valueFrom.secretKeyRef': 'KeyRef',
  'spec.env[].valueFrom.configMapKeyRef': 'KeyRef',
  'spec.envFrom[]': 'EnvFromSource',
  'spec.envFrom[].configMapRef': 'NameRef',
  'spec.envFrom[].secretRef': 'NameRef',
  'spec.resources': 'Resources',
  'spec.probes': 'Probes',
  'spec.probes.readiness': 'Probe',
  'spec.probes.liveness': 'Probe',
  'spec.probes.startup': 'Probe',
  'spec.autoscaling': 'Autoscaling',
  'spec.autoscaling.behavior': 'ScalingBehavior',
  'spec.autoscaling.behavior.scaleUp': 'ScalingRules',
  'spec.autoscaling.behavior.scaleDown': 'ScalingRules',
  'spec.autoscaling.behavior.scaleUp.policies[]': 'ScalingPolicy',
  'spec.autoscaling.behavior.scaleDown.policies[]': 'ScalingPolicy',
  'spec.probes.readiness.httpGet.httpHeaders[]': 'HttpHeader',
  'spec.autoscaling.metrics[]': 'Metric',
  'spec.autoscaling.metrics[].resource.target': 'ResourceTarget',
  'spec.autoscaling.metrics[].containerResource.target': 'ResourceTarget',
  'spec.autoscaling.metrics[].pods.metric': 'MetricIdentifier',
  'spec.autoscaling.metrics[].object.metric': 'MetricIdentifier',
  'spec.autoscaling.metrics[].external.metric': 'MetricIdentifier',
  'spec.autoscaling.metrics[].pods.metric.selector': 'LabelSelector',
  'spec.autoscaling.metrics[].object.target': 'ValueTarget',
  'spec.autoscaling.metrics[].external.target': 'ValueTarget',
  'spec.imagePullSecrets[]': 'PullSecret',
  'spec.config': 'Config',
  'spec.volumes[]': 'Volume',
  'spec.volumes[].configMap': 'ConfigMapVolume',
  'spec.volumes[].configMap.items[]': 'KeyItem',
  'spec.volumes[].secret': 'SecretVolume',
  'spec.volumes[].secret.items[]': 'KeyItem',
  'spec.volumes[].emptyDir': 'EmptyDirVolume',
  'spec.volumes[].ephemeral': 'EphemeralVolume',
  'spec.volumes[].projected': 'ProjectedVolume',
  'spec.volumes[].projected.sources[]': 'ProjectedSource',
  'spec.volumes[].projected.sources[].configMap': 'ProjectedObject',
  'spec.volumes[].projected.sources[].configMap.items[]': 'KeyItem',
  'spec.volumes[].projected.sources[].secret': 'ProjectedObject',
  'spec.volumes[].projected.sources[].downwardAPI.items[]': 'DownwardFile',
  'spec.volumes[].downwardAPI': 'DownwardVolume',
  'spec.volumes[].downwardAPI.items[]': 'DownwardFile',
  'spec.volumeMounts[]': 'VolumeMount',
  'spec.securityContext': 'SecurityContext',
  'spec.podSecurityContext': 'PodSecurityContext',
  'spec.initContainers[]': 'InitContainer',
  'spec.initContainers[].env[]': 'EnvVar',
  'spec.initContainers[].envFrom[]': 'EnvFromSource',
  'spec.initContainers[].resources': 'Resources',
  'spec.initContainers[].volumeMounts[]': 'VolumeMount',
  'spec.initContainers[].securityContext': 'SecurityContext',
  'spec.initContainers[].probes': 'Probes',
  'spec.serviceAccount': 'ServiceAccount',
  'spec.scheduling': 'Scheduling',
  'spec.scheduling.tolerations[]': 'Toleration',
  'spec.scheduling.affinity': 'Affinity',
  'spec.scheduling.topologySpreadConstraints[]': 'SpreadConstraint',
  'spec.dnsConfig': 'DnsConfig',
  'spec.hostAliases[]': 'HostAlias',
  'spec.rollout': 'Rollout',
  'spec.shutdown': 'Shutdown',
  'spec.disruption': 'Disruption',
  'spec.service': 'ServiceOptions',
  'spec.observability': 'Observability',
  'spec.observability.metrics': 'MetricsEndpoint',
  'spec.observability.slo': 'Objectives',
  status: 'MicroserviceStatus',
  'status.conditions[]': 'Condition',
  'status.links': 'Links',
  'status.slo[]': 'SloStatus',
  'status.children[]': 'ChildRef',
};

/** The TypeScript of operator/src/api/microservice.generated.ts. */
export function types(schema: Schema): string {
  const interfaces = new Map<string, string>();
  const body = members(schema.properties ?? {}, schema.required ?? [], '', interfaces, [
    'apiVersion',
    'kind',
    'metadata',
  ]);
  return [
    `// Generated from ${source} by \`npm run generate\`; do not edit.`,
    `import type { KubeObject } from './object.ts';`,
    '',
    comment(schema.description, ''),
    'export interface Microservice extends KubeObject {',
    `  readonly apiVersion: 'microservice-platform.io/v1alpha1';`,
    `  readonly kind: 'Microservice';`,
    body,
    '}',
    ...[...interfaces.values()].flatMap((text) => ['', text]),
    '',
  ].join('\n');
}

function members(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
  path: string,
  interfaces: Map<string, string>,
  without: readonly string[] = [],
): string {
  return Object.entries(properties)
    .filter(([name]) => !without.includes(name))
    .map(([name, schema]) => {
      const always = required.includes(name) || (schema.default !== undefined && schema.type !== 'object');
      const type = typeOf(schema, path === '' ? name : `${path}.${name}`, interfaces);
      return `${comment(schema.description, '  ')}\n  readonly ${name}${always ? '' : '?'}: ${type};`;
    })
    .join('\n');
}

function typeOf(schema: Schema, path: string, interfaces: Map<string, string>): string {
  if (schema['x-kubernetes-int-or-string']) return 'number | string';
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.items) {
    const item = typeOf(schema.items, `${path}[]`, interfaces);
    return `readonly ${schema.items.enum ? `(${item})` : item}[]`;
  }
  if (schema.additionalProperties) {
    return `Readonly<Record<string, ${typeOf(schema.additionalProperties, `${path}{}`, interfaces)}>>`;
  }
  if (schema.properties) return objectType(schema, path, interfaces);
  if (schema.type === 'integer') return 'number';
  if (schema.type === 'string' || schema.type === 'boolean') return schema.type;
  throw new Error(`${source}: ${path} has a schema that generate.ts does not know; teach it to typeOf()`);
}

function objectType(schema: Schema, path: string, interfaces: Map<string, string>): string {
  const name = interfaceNames[path];
  if (name !== undefined && interfaces.has(name)) return name;
  if (name !== undefined) interfaces.set(name, ''); // keeps the order of first mention
  const body = members(schema.properties ?? {}, schema.required ?? [], path, interfaces);
  if (name === undefined) return `{\n${indented(body)}\n  }`;
  interfaces.set(name, `export interface ${name} {\n${body}\n}`);
  return name;
}

function comment(description: string | undefined, indent: string): string {
  const lines = (description ?? '').trim().split('\n');
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`].join('\n');
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** The chart's copy: a template, so that an upgrade of the chart reaches it; kept on uninstall unless told otherwise. */
export function chartTemplate(definition: string): string {
  const body = definition.replace(/^(#.*\n)*/, '').replaceAll('{{', '{{ "{{" }}');
  const keep =
    'metadata:\n  {{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n';
  return [
    `# Generated from ${source} by \`npm run generate\`; do not edit.`,
    '{{- if .Values.crds.install }}',
    body.replace(/^metadata:\n/m, keep).trimEnd(),
    '{{- end }}',
    '',
  ].join('\n');
}

/** The reference page: a row for each field, and the rules across fields. */
export function reference(schema: Schema): string {
  const { spec, status } = schema.properties ?? {};
  if (!spec || !status) throw new Error(`${source}: the schema needs spec and status`);
  return [
    `<!-- Generated from ${source} by \`npm run generate\`; do not edit. -->`,
    '# Microservice',
    '',
    (schema.description ?? '').replaceAll('\n', ' '),
    '',
    '`apiVersion: microservice-platform.io/v1alpha1`, `kind: Microservice`, short name `msvc`.',
    'The same text in a terminal: `kubectl explain microservice.spec --recursive`.',
    '',
    '## spec',
    '',
    ...table(spec, 'spec'),
    '',
    '## status',
    '',
    ...table(status, 'status'),
    '',
    '## Rules',
    '',
    'Beside the types and bounds above, the API server checks these when a Microservice is written, and answers:',
    '',
    ...[...new Set(rules(schema))].map((message) => `- ${message}`),
    '',
  ].join('\n');
}

function table(schema: Schema, path: string): string[] {
  return ['| Field | Type | Meaning |', '| --- | --- | --- |', ...rows(schema, path, new Map())];
}

/** One row for each field below; fields that were listed already (probes, scaling rules) are referred to. */
function rows(schema: Schema, path: string, listed: Map<unknown, string>): string[] {
  const { properties, required = [] } = schema;
  if (!properties) return [];
  listed.set(properties, path);
  return Object.entries(properties).flatMap(([name, field]) => {
    const fieldPath = `${path}.${name}`;
    const inner = field.items?.properties ? field.items : field;
    const innerPath = field.items ? `${fieldPath}[]` : fieldPath;
    const before = inner.properties && listed.get(inner.properties);
    const meaning = [
      required.includes(name) ? 'Required.' : '',
      (field.description ?? '').replaceAll('\n', ' '),
      before ? `Fields: as in \`${before}\`.` : '',
    ];
    const row = `| \`${fieldPath}\` | ${typeText(field)} | ${meaning.filter(Boolean).join(' ').replaceAll('|', '\\|')} |`;
    return [row, ...(before ? [] : rows(inner, innerPath, listed))];
  });
}

function typeText(schema: Schema): string {
  const bounds = (text: string | undefined) => (text ? `, ${text}` : '');
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema['x-kubernetes-int-or-string']) return 'integer or string';
  if (schema.items) return `list of ${schema.items.type}s${bounds(most(schema.maxItems))}`;
  if (schema.additionalProperties) return `map${bounds(most(schema.maxProperties))}`;
  if (schema.type === 'integer') return `integer${bounds(range(schema))}`;
  if (schema.type === 'string') return `string${bounds(most(schema.maxLength, ' characters'))}`;
  return schema.type ?? '';
}

function most(count: number | undefined, unit = ''): string | undefined {
  return count === undefined ? undefined : `at most ${count}${unit}`;
}

function range({ minimum, maximum }: Schema): string | undefined {
  if (minimum === undefined) return undefined;
  return maximum === undefined ? `from ${minimum}` : `${minimum} to ${maximum}`;
}

function rules(schema: Schema): string[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  return [
    ...(schema['x-kubernetes-validations'] ?? []).map(({ rule, message }) => message ?? rule),
    ...below.flatMap((part) => (part ? rules(part) : [])),
  ];
}

/** Every generated file, by its path from the root of the repository. */
export function generatedFiles(definition: string): Readonly<Record<string, string>> {
  const schema = schemaOf(definition);
  return {
    'operator/src/api/microservice.generated.ts': types(schema),
    'charts/microservice-platform/templates/crds/microservices.yaml': chartTemplate(definition),
    'docs/reference/microservice.md': reference(schema),
    'docs/reference/telemetry.md': telemetryPage(),
    ...dashboardFiles(),
    ...alertFiles(),
  };
}

/** The files below `root` that are not what they should be. */
export function staleFiles(root: string): string[] {
  return Object.entries(generatedFiles(readFileSync(join(root, source), 'utf8')))
    .filter(([path, text]) => text !== readOr(join(root, path), ''))
    .map(([path]) => path);
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function write(root: string): void {
  for (const [path, text] of Object.entries(generatedFiles(readFileSync(join(root, source), 'utf8')))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function main(args: readonly string[]): number {
  const root = join(import.meta.dirname, '..');
  if (!args.includes('--check')) {
    write(root);
    return 0;
  }
  const stale = staleFiles(root);
  for (const path of stale) console.error(`${path} is stale: run npm run generate and commit the result`);
  return stale.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
