import { type Named, nothing } from './chart.ts';
import { type Box, fitting, polyline, text } from './svg.ts';
import { shown } from './units.ts';

export interface Threshold {
  readonly color: string;
  readonly value: number | null;
}

/** Words in the place of values. */
export type Words = Readonly<Record<string, { readonly text?: string; readonly color?: string }>>;

const hues: Readonly<Record<string, string>> = { green: '#2f8f3a', red: '#d0223c' };

/** The last value of each line, large, with what it was before as a thin line below. */
export function drawnFigures(
  lines: readonly Named[],
  { box, unit, steps, words }: { box: Box; unit: string; steps: readonly Threshold[]; words: Words },
): string {
  const known = lines.filter(({ values }) => values.some((value) => value !== null)).slice(0, 3);
  if (known.length === 0) return nothing(box);
  const w = box.w / known.length;
  return known
    .map((line, at) => {
      const part = { ...box, x: box.x + at * w, w };
      const last = line.values.findLast((value) => value !== null) ?? 0;
      const word = words[String(last)];
      const colour = hues[word?.color ?? colourOf(last, steps)] ?? '#333';
      const name =
        known.length > 1 || line.name !== ''
          ? [text(fitting(line.name, w - 8), part.x + w / 2, box.y + 12, { anchor: 'middle', as: 'dim' })]
          : [];
      return [
        sparks(line, part, colour),
        ...name,
        text(word?.text ?? shown(last, unit), part.x + w / 2, box.y + box.h / 2 + 9, {
          anchor: 'middle',
          as: 'big',
          fill: colour,
        }),
      ].join('\n');
    })
    .join('\n');
}

function colourOf(value: number, steps: readonly Threshold[]): string {
  return steps.findLast((step) => step.value === null || value >= step.value)?.color ?? 'green';
}

function sparks({ values }: Named, { x, y, w, h }: Box, colour: string): string {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const points = values.map((value, at) =>
    value === null
      ? undefined
      : ([
          x + 6 + (at / Math.max(1, values.length - 1)) * (w - 12),
          y + h - 4 - ((value - low) / (high - low || 1)) * (h * 0.25),
        ] as const),
  );
  return polyline(points, `class="line" stroke="${colour}" opacity="0.5"`);
}
