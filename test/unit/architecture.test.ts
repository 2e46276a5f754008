import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '../../operator/src');
const files = globSync('**/*.ts', { cwd: source });
const read = (file: string) => readFileSync(join(source, file), 'utf8');

/** The code of a file without its comments. */
const codeOf = (file: string) => read(file).replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

interface Import {
  readonly file: string;
  /** A path below operator/src, or the name of a package. */
  readonly of: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const statements = codeOf(file).matchAll(
    /(?:^|\s)(import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g,
  );
  return [...statements].map(([, , type, fixed, dynamic]) => {
    const of = fixed ?? dynamic ?? '';
    return {
      file,
      of: of.startsWith('.') ? relative(source, join(source, dirname(file), of)) : of,
      typeOnly: type !== undefined,
    };
  });
}

const imports = files.flatMap(importsOf);
const within = (folder: string) => (file: string) => file.startsWith(`${folder}/`);
const core = files.filter((file) => ['api', 'desired', 'reconcile'].some((folder) => within(folder)(file)));

/** What each folder may import of ours: the arrows point from the edge to the words, never back. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  api: ['api/'],
  desired: ['api/', 'desired/'],
  reconcile: ['api/', 'desired/', 'reconcile/', 'cluster/cluster.ts', 'cluster/errors.ts'],
  cluster: ['api/', 'cluster/', 'support/', 'config.ts', 'desired/content.ts'],
  budgets: ['api/', 'budgets/'],
  controller: ['controller/'],
  election: ['api/', 'cluster/', 'election/', 'support/'],
  support: ['support/'],
  'log-collector': ['api/', 'cluster/', 'support/', 'config.ts', 'log-collector/'],
};

describe('the operator', () => {
  it.for(Object.entries(arrows))('lets %s import only %o of its own folders', ([folder, allowed]) => {
    const own = imports.filter(({ file, of }) => within(folder)(file) && files.includes(of));
    expect(own.length + files.filter(within(folder)).length).toBeGreaterThan(0);
    expect(own.filter(({ of }) => !allowed.some((prefix) => of.startsWith(prefix)))).toEqual([]);
  });

  it('has no folder that no arrow speaks about', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    expect(folders).toEqual(new Set(Object.keys(arrows)));
  });

  it('imports only files that are there', () => {
    const ours = imports.filter(({ of }) => of.endsWith('.ts'));
    expect(ours.length).toBeGreaterThan(50);
    expect(ours.filter(({ of }) => !files.includes(of))).toEqual([]);
  });

  it('keeps packages out of the core, types and hashing aside', () => {
    const packages = imports.filter(
      ({ file, of, typeOnly }) => core.includes(file) && !files.includes(of) && !typeOnly,
    );
    expect(packages.map(({ file, of }) => `${file}: ${of}`)).toEqual(['desired/hash.ts: node:crypto']);
  });

  it('loads the client library only where a kubeconfig is read', () => {
    const loads = imports.filter(({ of, typeOnly }) => of === '@kubernetes/client-node' && !typeOnly);
    expect(loads.map(({ file }) => file)).toEqual(['cluster/connection.ts']);
  });

  it('has a core that knows no clock, chance, environment or I/O', () => {
    const impure =
      /Date\.now|new Date\(|performance\.|Math\.random|randomUUID|process\.|setTimeout|setInterval|fetch\(|console\./;
    expect(core.filter((file) => impure.test(codeOf(file)))).toEqual([]);
  });

  it('reads the environment in the main of each program only, and hands it on', () => {
    expect(files.filter((file) => codeOf(file).includes('process.env')).sort()).toEqual([
      'log-collector/main.ts',
      'main.ts',
    ]);
  });

  it('keeps no state in a module', () => {
    const stateful = files.filter((file) => !file.endsWith('main.ts') && /^(let|var)\s/m.test(codeOf(file)));
    expect(stateful).toEqual([]);
  });
});
