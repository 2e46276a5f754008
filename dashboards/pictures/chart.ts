import { clock, type Line, momentsOf, type Range } from './data.ts';
import { type Box, fitting, polyline, rectangle, text } from './svg.ts';
import { shown } from './units.ts';

/** A line with its name. */
export interface Named extends Line {
  readonly name: string;
}

export const colours = [
  '#3274d9',
  '#56a64b',
  '#e0752d',
  '#a352cc',
  '#e02f44',
  '#1f9d9d',
  '#c4a000',
  '#7a5c3e',
  '#5794f2',
  '#96d98d',
  '#ff9830',
  '#b877d9',
] as const;

/** So many lines have a place in a legend of that height. */
const legendLine = 15;

/** Lines over time with axes, and a legend of names with their last and highest values. */
export function drawnLines(
  lines: readonly Named[],
  { box, unit, range, marks }: { box: Box; unit: string; range: Range; marks: readonly number[] },
): string {
  if (lines.every(({ values }) => values.every((value) => value === null))) return nothing(box);
  const most = Math.max(1, Math.min(colours.length, Math.floor((box.h * 0.42) / legendLine)));
  const listed = [...lines].sort((a, b) => highest(b) - highest(a)).slice(0, colours.length);
  const rows = Math.min(most, listed.length + (lines.length > most ? 1 : 0));
  const plot: Box = { x: box.x + 78, y: box.y + 6, w: box.w - 90, h: box.h - 32 - rows * legendLine };
  const [low, high] = boundsOf(listed);
  const at = (value: number | null, index: number): readonly [number, number] | undefined => {
    if (value === null) return undefined;
    const count = Math.max(1, momentsOf(range).length - 1);
    return [plot.x + (index / count) * plot.w, plot.y + plot.h - ((value - low) / (high - low)) * plot.h];
  };
  return [
    ...axes(plot, [low, high], unit, range),
    ...marks.map((moment) => {
      const x = plot.x + ((moment - range.start) / (range.end - range.start)) * plot.w;
      return rectangle({ x, y: plot.y, w: 1, h: plot.h }, 'fill="#3274d9" opacity="0.7"');
    }),
    ...listed.map(({ values }, index) => polyline(values.map(at), `class="line" stroke="${colours[index]}"`)),
    ...legend(
      listed,
      lines.length,
      { x: box.x + 10, y: box.y + box.h - rows * legendLine + 6, w: box.w - 20, h: 0 },
      rows,
      unit,
    ),
  ].join('\n');
}

function legend(listed: readonly Named[], all: number, { x, y, w }: Box, rows: number, unit: string): string[] {
  const more = all > rows;
  const shownLines = listed.slice(0, more ? rows - 1 : rows);
  const names = shownLines.flatMap(({ name, values }, index) => {
    const top = y + index * legendLine;
    const last = values.findLast((value) => value !== null);
    return [
      rectangle({ x, y: top - 5, w: 12, h: 3 }, `fill="${colours[index]}"`),
      text(fitting(name, w - 150), x + 18, top),
      text(shown(last, unit), x + w - 72, top, { anchor: 'end' }),
      text(shown(highest({ values }), unit), x + w, top, { anchor: 'end', as: 'dim' }),
    ];
  });
  const rest = all - shownLines.length;
  return more ? [...names, text(`and ${rest} more`, x + 18, y + (rows - 1) * legendLine, { as: 'dim' })] : names;
}

function axes(plot: Box, [low, high]: readonly [number, number], unit: string, range: Range): string[] {
  const heights = [0, 0.5, 1].flatMap((share) => {
    const y = plot.y + plot.h * (1 - share);
    return [
      rectangle({ x: plot.x, y, w: plot.w, h: 1 }, 'class="grid"'),
      text(shown(low + (high - low) * share, unit), plot.x - 6, y + 4, { anchor: 'end', as: 'dim' }),
    ];
  });
  return [...heights, ...times(plot, range)];
}

/** The times below a plot: the first, the middle, the last. */
export function times(plot: Box, { start, end }: Range): string[] {
  const anchors = ['start', 'middle', 'end'] as const;
  return anchors.map((anchor, at) =>
    text(clock(start + ((end - start) * at) / 2).slice(0, 5), plot.x + (plot.w * at) / 2, plot.y + plot.h + 14, {
      anchor,
      as: 'dim',
    }),
  );
}

/** The words in the place of what is not there. */
export function nothing({ x, y, w, h }: Box): string {
  return text('No data', x + w / 2, y + h / 2, { anchor: 'middle', as: 'dim' });
}

function boundsOf(lines: readonly Line[]): readonly [number, number] {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  return high > low ? [low, high] : [low, low + 1];
}

function highest({ values }: Pick<Line, 'values'>): number {
  return Math.max(...values.map((value) => value ?? Number.NEGATIVE_INFINITY));
}
