import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file that is there whole or not at all, also when the disk is full or the writer is killed. */
export function writeWhole(file: string, content: string | Buffer): void {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, content);
  renameSync(partial, file);
}
