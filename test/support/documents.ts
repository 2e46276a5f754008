import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The root of the clone. */
export const repository = join(import.meta.dirname, '../..');

/** A document for people: Markdown, by its path below the root. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** A fenced block: `info` is what stands behind the opening fence, a language and perhaps marks. */
export interface Block {
  readonly info: string;
  readonly text: string;
}

/** Every document of the repository. */
export function documents(): readonly Document[] {
  return globSync(['*.md', 'docs/**/*.md', 'operator/*.md', 'services/*.md'], { cwd: repository })
    .sort()
    .map(documentAt);
}

export const documentAt = (path: string): Document => ({
  path,
  text: readFileSync(join(repository, path), 'utf8'),
});

/** The fenced blocks of a document, in order. */
export function blocksOf({ text }: Document): readonly Block[] {
  return [...text.matchAll(/^```(\S.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', block = '']) => ({
    info,
    text: block,
  }));
}

/** All that a document sets as code: its blocks and, outside of them, what stands between backticks. */
export function codeOf(document: Document): readonly string[] {
  const prose = document.text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const spans = [...prose.matchAll(/(`+)([^`]+)\1/g)].map(([, , span = '']) => span.replaceAll(/\s+/g, ' '));
  return [...blocksOf(document).map((block) => block.text), ...spans];
}

/**
 * The shell blocks that a document promises to work as they stand, as one script: those with `e2e` behind their
 * language. To be run in the root of the clone by `bash -euo pipefail`, with NAME naming a cluster with the shop.
 */
export function scriptOf(document: Document): string {
  return blocksOf(document)
    .filter(({ info }) => info === 'sh e2e')
    .map(({ text }) => text)
    .join('\n');
}

/** The links of a document to files of the repository: the path below the root, and the heading if one is named. */
export function linksOf({ path, text }: Document): readonly { path: string; heading: string | undefined }[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', heading] = target.split('#');
      return { path: file === '' ? path : relative('.', join(dirname(path), file)), heading };
    });
}

/** The names under which the headings of a document can be linked to. */
export function anchorsOf({ text }: Document): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
