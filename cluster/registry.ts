import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { chartValues, shopManifests } from '../manifests/install.ts';
import type { References } from './cluster.ts';
import { ownImages } from './image-list.ts';
import { pushImage } from './images.ts';
import { cacheFolder } from './paths.ts';
import type { Step } from './progress.ts';
import { writeWhole } from './whole-file.ts';

/** What belongs to the embedded node alone. */
const notPublished = [
  'localhost/',
  'registry.k8s.io/coredns/',
  'registry.k8s.io/metrics-server/',
  'docker.io/library/node',
];

/**
 * Pushes the images that were built to a registry and writes down their digests: as references, as values for the
 * chart, and as the shop's manifests. Credentials are those that `docker login` or `podman login` keep.
 * @param registry host, and path below which the images go
 * @param thirdParty the images of PostgreSQL, RabbitMQ, Jaeger, Prometheus and its adapter too, for clusters that can pull no others
 * @returns the paths of the two files for people
 */
export async function publish(
  local: References,
  registry: string,
  thirdParty: boolean,
  step: Step,
): Promise<{ values: string; shop: string }> {
  const references = new Map<string, string>();
  for (const [repository, name] of local) {
    if (notPublished.some((prefix) => repository.startsWith(prefix))) continue;
    if (!thirdParty && !repository.startsWith(ownImages)) continue;
    const [image = '', tag = ''] = (name.split('/').at(-1) ?? '').split(':');
    const target = `${registry}/${image}:${tag}`;
    const digest = await step(`push ${target}`, (note) => pushImage(name, target, note));
    references.set(repository, `${target}@${digest}`);
  }
  const folder = folderOf(registry);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = { values: join(folder, 'values.yaml'), shop: join(folder, 'shop.yaml') };
  writeFileSync(
    files.values,
    `# Written by make images REGISTRY=${registry} PUSH=1.\n${stringify(chartValues(references))}`,
  );
  writeFileSync(files.shop, shopManifests(references));
  writeWhole(join(folder, 'references.json'), JSON.stringify([...references], null, 2));
  return files;
}

/**
 * The images that were pushed to a registry from this machine.
 * @throws Error when none were
 */
export function published(registry: string): References {
  const file = join(folderOf(registry), 'references.json');
  if (!existsSync(file)) {
    throw new Error(
      `no images were pushed to ${registry} from here: run make images REGISTRY=${registry} PUSH=1 first`,
    );
  }
  return new Map(JSON.parse(readFileSync(file, 'utf8')));
}

/** @throws Error when that cannot name a place in a registry */
export function checkRegistry(registry: string): string {
  if (!/^[A-Za-z0-9][-A-Za-z0-9.]*(:\d+)?(\/[a-z0-9][-a-z0-9._]*)*$/.test(registry)) {
    throw new Error(`REGISTRY=${registry}: use host/path without a scheme, for example registry.example.com/shop`);
  }
  return registry;
}

const folderOf = (registry: string) =>
  join(cacheFolder(process.env), 'registries', registry.replaceAll(/[^A-Za-z0-9.-]/g, '_'));
