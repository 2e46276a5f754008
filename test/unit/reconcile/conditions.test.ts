import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conditionTypes, reasons } from '../../../operator/src/api/conditions.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/conditions.md'), 'utf8');

/** The headings below a section, each with what stands under it. */
function entries(section: string): [string, string][] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  return text
    .split(/^### /m)
    .slice(1)
    .map((entry) => {
      const [heading = '', ...body] = entry.split('\n');
      return [heading, body.join('\n').trim()];
    });
}

describe('docs/reference/conditions.md', () => {
  it.for([
    ['Types', Object.keys(conditionTypes)],
    ['Reasons', Object.keys(reasons)],
  ] as const)('explains exactly the %s that there are, in order', ([section, names]) => {
    expect(entries(section).map(([heading]) => heading)).toEqual(names);
    expect(entries(section).filter(([, body]) => body.length < 20)).toEqual([]);
  });
});
