import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reasons } from '../../../operator/src/api/conditions.ts';
import {
  anchorsOf,
  blocksOf,
  codeOf,
  type Document,
  documentAt,
  documents,
  linksOf,
  repository,
  scriptOf,
} from '../../support/documents.ts';
import { definitionPath } from '../../support/microservice.ts';

const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const all = documents().map((document): [string, Document] => [document.path, document]);

/** What stands behind each match of the pattern in the code of a document. */
const named = (document: Document, pattern: RegExp) =>
  codeOf(document).flatMap((code) => [...code.matchAll(pattern)].map(([, name = '']) => name));

describe.each(all)('%s', (_, document) => {
  it('names only commands that are there', () => {
    const targets = [...read('Makefile').matchAll(/^([a-z][a-z0-9 ]*):(?!=)/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

    expect(named(document, /\bmake (?:-s )?([a-z0-9]+)/g).filter((name) => !targets.includes(name))).toEqual([]);
    expect(named(document, /\bnpm run ([a-z:]+)/g).filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it('names only files that are there', () => {
    const path = /^((?:cluster|crds|charts|docs|manifests|operator|services|test)\/[\w./-]*)$/gm;
    expect(named(document, path).filter((file) => !existsSync(join(repository, file)))).toEqual([]);
  });

  it('links only to files and headings that are there', () => {
    const broken = linksOf(document).filter(({ path, heading }) => {
      if (!existsSync(join(repository, path))) return true;
      return heading !== undefined && !anchorsOf(documentAt(path)).includes(heading);
    });
    expect(broken).toEqual([]);
  });

  it('has shell blocks that a shell can read', () => {
    for (const { text } of blocksOf(document).filter(({ info }) => /^sh\b/.test(info))) {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }
  });
});

describe('README.md', () => {
  const readme = documentAt('README.md');

  it('shows the columns that kubectl shows', () => {
    const { versions } = parse(readFileSync(definitionPath, 'utf8')).spec as {
      versions: { additionalPrinterColumns: { name: string; priority?: number }[] }[];
    };
    const columns = versions[0]?.additionalPrinterColumns.filter(({ priority }) => !priority) ?? [];
    const header = ['NAME', ...columns.map(({ name }) => name.toUpperCase())];
    const shown = blocksOf(readme).map(({ text }) => text.split('\n')[0]?.trim().split(/\s+/));
    expect(shown).toContainEqual(header);
  });

  it('promises commands for the end-to-end tests to run', () => {
    expect(scriptOf(readme)).toContain('kubectl apply -f manifests/hello.yaml');
  });
});

describe('docs/troubleshooting.md', () => {
  it('leads from every reason to its explanation', () => {
    const links = linksOf(documentAt('docs/troubleshooting.md'))
      .filter(({ path }) => path === 'docs/reference/conditions.md')
      .map(({ heading }) => heading);
    expect(new Set(links)).toEqual(new Set(Object.keys(reasons).map((reason) => reason.toLowerCase())));
  });
});

describe('docs/clusters/embedded.md', () => {
  const page = documentAt('docs/clusters/embedded.md').text;

  it('names the Debian packages that are installed', () => {
    const packages = [...read('cluster/packages.ts').matchAll(/^ {2}\['\S+', '(\S+)'\],$/gm)];
    expect(packages.length).toBeGreaterThan(10);
    expect(packages.map(([, name = '']) => name).filter((name) => !page.includes(name))).toEqual([]);
  });

  it('names the loopback ports', () => {
    const ports = ['cluster/embedded/embedded.ts', 'cluster/ports.ts'].flatMap((file) =>
      [...read(file).matchAll(/port: (\d+),/g)].map(([, port]) => port),
    );
    // There is no Grafana on the embedded node.
    expect(page).toContain(`127.0.0.1:${ports.slice(0, -1).join(', ')} |`);
    expect(documentAt('docs/clusters/kind.md').text).toContain(`127.0.0.1:${ports.slice(1).join(', ')},`);
  });
});
