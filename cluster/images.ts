import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import project from '../package.json' with { type: 'json' };
import type { References } from './cluster.ts';
import { fillContext, type Image, images, ownImages } from './image-list.ts';
import { alone } from './lock.ts';
import { cacheFolder, repository } from './paths.ts';
import type { Step } from './progress.ts';
import { run } from './run.ts';
import { buildTools, tool } from './toolchain.ts';
import { writeWhole } from './whole-file.ts';

const localName = (image: Image, tag: string) => `localhost/microservice-platform/${image.name}:${tag}`;

const { version } = project;

/** Images on this machine, each under the repository name that manifests ask for. */
export interface LocalImages {
  /** From repository name to the full name of the local image. */
  readonly references: References;
  /** One archive with all of them. */
  readonly archive: string;
}

/** Builds everything that is missing: the programs of the toolchain, and the images with them. */
export async function buildAll(step: Step): Promise<LocalImages> {
  // Compiling keeps the processors busy, the base of the images the network.
  await Promise.all([buildTools(step), makeBase(step)]);
  return buildImages(step);
}

/** Builds the images that the cache does not hold, and packs all into one archive. */
export async function buildImages(step: Step, env: NodeJS.ProcessEnv = process.env): Promise<LocalImages> {
  const folder = openFolder(env);
  const tags = new Map([['debian', tagOfBase(await debianRelease())]]);
  for (const image of images) tags.set(image.name, tagOf(image, tags));
  const references = new Map(images.map((image) => [image.repository, localName(image, tags.get(image.name) ?? '')]));
  const archive = join(folder, `${hashOf([...references.values()])}.tar`);
  if (!existsSync(archive)) {
    await alone(join(folder, 'lock'), step, () => buildMissing(step, folder, { tags, references, archive }));
  }
  return { references, archive };
}

async function buildMissing(
  step: Step,
  folder: string,
  { tags, references, archive }: LocalImages & { readonly tags: ReadonlyMap<string, string> },
): Promise<void> {
  if (existsSync(archive)) return; // another one has made it meanwhile
  removeLeftovers(folder);
  const layout = join(folder, 'layout');
  const packed = new Set(indexOf(layout).map((descriptor) => descriptor.annotations?.[imageName]));
  const missing = images.filter((image) => !packed.has(localName(image, tags.get(image.name) ?? '')));
  if (missing.some((image) => image.base !== undefined)) await makeMissingBase(step, folder);
  for (const image of missing) {
    await step(`build the image ${image.name}`, async (note) => {
      await build(folder, image, tags, note);
    });
  }
  await step('pack the images', () => pack(layout, references, archive));
  removeOldArchives(folder);
}

/** Makes what the images stand on, a minimal Debian, when it is not there. It needs no program of the toolchain. */
export async function makeBase(step: Step, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const folder = openFolder(env);
  await alone(join(folder, 'lock'), step, () => makeMissingBase(step, folder));
}

async function makeMissingBase(step: Step, folder: string): Promise<void> {
  const debian = await debianRelease();
  const name = `localhost/microservice-platform/debian:${tagOfBase(debian)}`;
  if (await inStorage(folder, name)) return;
  await step('make the Debian base of the images', (note) => makeDebian(folder, name, debian, note));
}

const tagOfBase = ({ release, sources }: Debian) => hashOf([release, ...sources]);

function openFolder(env: NodeJS.ProcessEnv): string {
  const folder = join(cacheFolder(env), 'images');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes what builds that were killed left behind; a younger folder may hold what `pushImage` is at. */
function removeLeftovers(folder: string): void {
  for (const left of globSync('{context,export,debian}-*', { cwd: folder }).map((name) => join(folder, name))) {
    if (Date.now() - statSync(left).mtimeMs > 3_600_000) rmSync(left, { recursive: true });
  }
}

/** Keeps the archives of the last few changes: one is a quarter of a gigabyte. */
function removeOldArchives(folder: string): void {
  const archives = globSync('*.tar', { cwd: folder }).map((name) => join(folder, name));
  const newestFirst = archives.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of newestFirst.slice(3)) rmSync(old);
}

/** A hash of everything that goes into an image; `tags` has those of the images that it may stand on. */
export function tagOf(image: Image, tags: ReadonlyMap<string, string>): string {
  const files = [image.dockerfile, ...(image.workspaces ? ['package-lock.json'] : [])];
  for (const input of image.inputs ?? []) {
    const path = join(repository, input);
    if (statSync(path).isFile()) files.push(input);
    else files.push(...globSync('**/*', { cwd: path }).map((file) => join(input, file)));
  }
  const contents = files
    .filter((file) => statSync(join(repository, file)).isFile())
    .sort()
    .flatMap((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(repository, file)))
        .digest('hex'),
    ]);
  // A program is named by the content that it was built from.
  const programs = Object.keys(image.programs ?? {}).map((name) => tool(name).split('/').at(-2) ?? '');
  return hashOf([JSON.stringify(image), tags.get(image.base ?? '') ?? '', ...contents, ...programs]);
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}

async function build(
  folder: string,
  image: Image,
  tags: ReadonlyMap<string, string>,
  note: (line: string) => void,
): Promise<void> {
  const name = localName(image, tags.get(image.name) ?? '');
  const context = mkdtempSync(join(folder, 'context-'));
  try {
    await fillContext(image, context, folder);
    const args = {
      ...image.buildArgs,
      ...(image.base ? { BASE_IMAGE: `localhost/microservice-platform/${image.base}:${tags.get(image.base)}` } : {}),
    };
    await buildah(
      folder,
      [
        ...[
          'bud',
          '--isolation=chroot',
          '--layers',
          '--timestamp=0',
          '--pull-never',
          '-f',
          join(repository, image.dockerfile),
          '-t',
          name,
        ],
        ...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
        context,
      ],
      note,
    );
    await toLayout(folder, name, note);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Pushes a built image, under a name of a registry. Gives its digest. A registry of this machine is spoken to in plain HTTP. */
export async function pushImage(local: string, target: string, note: (line: string) => void): Promise<string> {
  const folder = openFolder(process.env);
  const digestFile = join(mkdtempSync(join(folder, 'export-')), 'digest');
  try {
    const plain = /^(localhost|127\.0\.0\.1)(:|\/)/.test(target) ? ['--tls-verify=false'] : [];
    await buildah(folder, ['push', ...plain, `--digestfile=${digestFile}`, local, `docker://${target}`], note);
    return readFileSync(digestFile, 'utf8').trim();
  } finally {
    rmSync(dirname(digestFile), { recursive: true, force: true });
  }
}

/** In a mount namespace of its own, so that nothing stays mounted, and nothing is written below /var/lib. */
function buildah(folder: string, args: readonly string[], note?: (line: string) => void): Promise<string> {
  const storage = ['--storage-driver=overlay', `--root=${join(folder, 'storage')}`, `--runroot=${join(folder, 'run')}`];
  const script = 'mount -t tmpfs tmpfs /var/lib && exec buildah "$@"';
  return run('unshare', ['--mount', 'sh', '-c', script, 'sh', ...storage, ...args], {
    timeoutMs: 600_000,
    ...(note ? { onLine: note } : {}),
  });
}

/** Adds a built image to the OCI layout, each layer once and compressed: a cluster forces to disk what it is brought. */
async function toLayout(folder: string, name: string, note: (line: string) => void): Promise<void> {
  const layout = join(folder, 'layout');
  const exported = mkdtempSync(join(folder, 'export-'));
  try {
    await buildah(folder, ['push', '--disable-compression', name, `dir:${exported}`], note);
    const manifest = JSON.parse(readFileSync(join(exported, 'manifest.json'), 'utf8')) as Manifest;
    const layers: Descriptor[] = [];
    for (const layer of manifest.layers) layers.push(await compressed(layout, join(exported, hexOf(layer))));
    addBlob(layout, readFileSync(join(exported, hexOf(manifest.config))));
    const entry = addBlob(layout, Buffer.from(JSON.stringify({ ...manifest, layers })));
    const named = { mediaType: manifest.mediaType, ...entry, annotations: { [imageName]: name } };
    const manifests = [...indexOf(layout).filter((each) => each.annotations?.[imageName] !== name), named];
    writeWhole(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  } finally {
    rmSync(exported, { recursive: true, force: true });
  }
}

/** The descriptor of a layer's compressed form, which is made when the layout does not have it. */
async function compressed(layout: string, layer: string): Promise<Descriptor> {
  const known = join(layout, 'compressed', basename(layer));
  if (existsSync(known)) return JSON.parse(readFileSync(known, 'utf8'));
  const file = `${layer}.zst`;
  await pipeline(createReadStream(layer), createZstdCompress(), createWriteStream(file));
  const descriptor = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    ...addBlob(layout, readFileSync(file)),
  };
  mkdirSync(dirname(known), { recursive: true });
  writeWhole(known, JSON.stringify(descriptor));
  return descriptor;
}

function addBlob(layout: string, content: Buffer): { digest: string; size: number } {
  const hex = createHash('sha256').update(content).digest('hex');
  const folder = join(layout, 'blobs/sha256');
  mkdirSync(folder, { recursive: true });
  writeWhole(join(folder, hex), content);
  return { digest: `sha256:${hex}`, size: content.length };
}

async function inStorage(folder: string, name: string): Promise<boolean> {
  return buildah(folder, ['inspect', '--type=image', '--format={{.FromImageID}}', name]).then(
    () => true,
    () => false,
  );
}

interface Debian {
  readonly release: string;
  /** Lines for sources.list: where this machine has its own packages from. */
  readonly sources: readonly string[];
}

async function debianRelease(): Promise<Debian> {
  const format = '$(REPO_URI) $(CODENAME) $(COMPONENT)';
  const listed = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const release = /VERSION_CODENAME=(\S+)/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
  const sources = listed
    .split('\n')
    .filter((line) => line.includes(` ${release}`))
    .map((line) => `deb ${line}`);
  return { release, sources: [...new Set(sources)].sort() };
}

/** A minimal Debian, from the packages of the release that this machine runs. */
async function makeDebian(folder: string, name: string, debian: Debian, note: (line: string) => void): Promise<void> {
  const root = mkdtempSync(join(folder, 'debian-'));
  try {
    const mirror = debian.sources
      .map((line) => line.split(' '))
      .find(([, , release]) => release === debian.release)?.[1];
    if (mirror === undefined)
      throw new Error(`apt names no source of the release ${debian.release}; see /etc/apt/sources.list`);
    // It mounts below the folder: in a namespace of its own, so that nothing stays mounted when it is killed.
    await run('unshare', ['--mount', 'debootstrap', '--variant=minbase', debian.release, root, mirror], {
      timeoutMs: 900_000,
      onLine: note,
    });
    writeFileSync(join(root, 'etc/apt/sources.list'), `${debian.sources.join('\n')}\n`);
    for (const part of [
      'var/cache/apt/archives',
      'var/lib/apt/lists',
      'var/log',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
    ]) {
      rmSync(join(root, part), { recursive: true, force: true });
      mkdirSync(join(root, part), { recursive: true });
    }
    const dockerfile = join(root, '..', `${root.split('/').at(-1)}.Dockerfile`);
    writeFileSync(dockerfile, 'FROM scratch\nCOPY . /\n');
    await buildah(folder, ['bud', '--timestamp=0', '-f', dockerfile, '-t', name, root], note);
    rmSync(dockerfile);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const hexOf = ({ digest }: Descriptor) => digest.replace('sha256:', '');

/** The annotation under which containerd looks for an image's full name. */
const imageName = 'io.containerd.image.name';

function indexOf(layout: string): readonly Descriptor[] {
  const file = join(layout, 'index.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).manifests : [];
}

/** Writes the images of an OCI layout as one archive, each blob once. The project's own keep their published names too. */
async function pack(layout: string, references: References, archive: string): Promise<void> {
  const published = new Map([...references].map(([name, local]) => [local, `${name}:${version}`]));
  const manifests = indexOf(layout).flatMap((entry) => {
    const name = published.get(entry.annotations?.[imageName] ?? '');
    if (name === undefined) return [];
    return name.startsWith(ownImages) ? [entry, { ...entry, annotations: { [imageName]: name } }] : [entry];
  });
  const blob = (descriptor: Descriptor) => join('blobs/sha256', hexOf(descriptor));
  const blobs = manifests.flatMap((entry) => {
    const manifest = JSON.parse(readFileSync(join(layout, blob(entry)), 'utf8')) as Manifest;
    return [entry, manifest.config, ...manifest.layers];
  });
  const staging = mkdtempSync(`${archive}.`);
  try {
    writeFileSync(join(staging, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    writeFileSync(join(staging, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const parts = ['-C', staging, 'index.json', 'oci-layout', '-C', layout, ...[...new Set(blobs)].map(blob)];
    await run('tar', ['-cf', join(staging, 'archive'), ...parts], { timeoutMs: 300_000 });
    renameSync(join(staging, 'archive'), archive);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

const imageField = /^(\s*-?\s*image:\s*)["']?([^\s"'@]+?)(?::[^\s"'/:@]+)?["']?\s*$/gm;

/** Puts local images in the place of the ones that a manifest names, by repository. */
export function withLocalImages(manifest: string, references: References): string {
  return manifest.replace(imageField, (whole, before: string, name: string) => {
    const local = references.get(name);
    return local === undefined ? whole : `${before}${local}`;
  });
}
