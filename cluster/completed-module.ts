import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { run } from './run.ts';

/** Files that the archive of a Go module lacks although its build asks for them. */
export interface Lacking {
  readonly module: string;
  /** Their text, by their path in the module; a name that ends in .gz is written compressed. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Copies a module out of Go's cache, which is never written to, and puts in what it lacks. Gives the go.mod to build
 * by: that of `source`, with the copy in place of the module.
 */
export async function completedModule(lacking: Lacking, source: string, folder: string): Promise<string> {
  const { module, files } = lacking;
  const go = (...args: string[]) => run('go', args, { cwd: source, timeoutMs: 5 * 60_000 });
  const { Dir: cached } = JSON.parse(await go('mod', 'download', '-json', module)) as { readonly Dir: string };
  const copy = join(folder, 'module');
  cpSync(cached, copy, { recursive: true });
  // Go's cache is read-only, and so is its copy.
  await run('chmod', ['-R', 'u+w', copy]);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), path.endsWith('.gz') ? gzipSync(text) : text);
  }
  for (const file of ['go.mod', 'go.sum']) copyFileSync(join(source, file), join(folder, file));
  await go('mod', 'edit', `-replace=${module}=${copy}`, join(folder, 'go.mod'));
  return join(folder, 'go.mod');
}
