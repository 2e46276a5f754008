import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { References } from '../cluster.ts';
import { fillContext, type Image, images, ownImages } from '../image-list.ts';
import { tagOf } from '../images.ts';
import { cacheFolder, repository } from '../paths.ts';
import type { Step } from '../progress.ts';
import { run } from '../run.ts';

/** How long an engine may take to say that it is there. A client without an engine is often installed. */
const answerMs = 3000;

/** Whether a Docker engine answers. */
export const dockerAnswers = () =>
  run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: answerMs }).then(
    (version) => version.trim() !== '',
    () => false,
  );

/** Makes sure that the engine has an image: it is there, or it can be pulled. Says whether. */
export async function dockerHas(image: string, step: Step): Promise<boolean> {
  if (await present(image)) return true;
  const pull = (note: (line: string) => void) => run('docker', ['pull', image], { timeoutMs: 600_000, onLine: note });
  return step(`pull ${image.split('@')[0]}`, pull).then(
    () => true,
    () => false,
  );
}

const present = (image: string) =>
  run('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { timeoutMs: 20_000 }).then(
    () => true,
    () => false,
  );

/** What the project's own images stand on where images can be pulled. */
const base = 'node:24-bookworm-slim';

const isOwn = ({ repository }: Image) => repository.startsWith(ownImages);
const own = images.filter((image) => isOwn(image) || image.name === 'services');

/** Builds the project's own images with Docker, each once for its content; `wanted` has one after that it stands on. */
export async function buildWithDocker(step: Step, wanted: readonly Image[] = own): Promise<References> {
  const folder = join(cacheFolder(process.env), 'images');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const references = new Map<string, string>();
  const names = new Map([['node', base]]);
  for (const image of wanted) {
    const name = `${image.repository}:${tagOf(image, names)}`;
    names.set(image.name, name);
    if (isOwn(image)) references.set(image.repository, name);
    if (await present(name)) continue;
    await step(`build the image ${image.name}`, async (note) => {
      const context = mkdtempSync(join(folder, 'context-'));
      try {
        await fillContext(image, context, folder);
        const args = { ...image.buildArgs, BASE_IMAGE: names.get(image.base ?? '') };
        const options = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
        const file = ['--file', join(repository, image.dockerfile), '--tag', name];
        await run('docker', ['build', ...file, ...options, context], { timeoutMs: 600_000, onLine: note });
      } finally {
        rmSync(context, { recursive: true, force: true });
      }
    });
  }
  return references;
}
