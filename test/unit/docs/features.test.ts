import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentAt, repository } from '../../support/documents.ts';

const states = ['seen working', 'object only', 'not yet'];

interface Row {
  readonly feature: string;
  readonly state: string;
  /** As on the page: links with the title of a test, or a dash. */
  readonly shownBy: readonly string[];
}

const rowsOf = (path: string, heading: string): readonly Row[] =>
  documentAt(path)
    .text.split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter(([feature]) => feature !== heading && feature !== '---')
    .map(([feature = '', state = '', shownBy = '']) => ({ feature, state, shownBy: shownBy.split('<br>') }));
const rows = rowsOf('docs/features.md', 'Feature');
const complaints = rowsOf('docs/complaints.md', 'Complaint');

/** Every test that one of the pages names. */
const testsIn = (of: readonly Row[]) =>
  of
    .flatMap(({ shownBy }) => shownBy)
    .filter((test) => test !== '–' && test !== 'does not apply')
    .map((test) => /^\[(?<name>\S+)\]\(\.\.\/(?<path>test\/\S+\.test\.ts)\): (?<title>.+)$/.exec(test)?.groups);
const tests = testsIn(rows);

const missing = (of: ReturnType<typeof testsIn>) =>
  of.filter(
    (test) =>
      test?.path === undefined ||
      test.path !== `test/${test.name}.test.ts` ||
      !existsSync(join(repository, test.path)) ||
      !hasTitle(test.path, test.title ?? ''),
  );

/** Whether a test file has a test or a group of that title, as it is written there. */
function hasTitle(path: string, title: string): boolean {
  const source = readFileSync(join(repository, path), 'utf8');
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote},`));
}

describe('docs/features.md', () => {
  it('says of each feature how far it was seen', () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter(({ state }) => !states.includes(state))).toEqual([]);
    expect(rows.filter(({ feature }, at) => rows.findIndex((row) => row.feature === feature) !== at)).toEqual([]);
  });

  it('names a test for what was seen, and none for what was not', () => {
    const wrong = rows.filter(({ state, shownBy }) => (shownBy[0] === '–') !== (state === 'not yet'));
    expect(wrong).toEqual([]);
  });

  it('names tests that are there, by the title that they have', () => {
    expect(missing(tests)).toEqual([]);
  });

  it('names every test file that needs more than Node', () => {
    const files = globSync('test/{api,services,chart,e2e}/**/*.test.ts', { cwd: repository });
    const unnamed = files.filter((file) => !tests.some((test) => test?.path === file));
    expect(unnamed).toEqual([]);
  });
});

describe('docs/complaints.md', () => {
  it('names for each complaint a test that is there, or says that it does not apply', () => {
    expect(complaints.length).toBeGreaterThan(25);
    expect(missing(testsIn(complaints))).toEqual([]);
  });
});
