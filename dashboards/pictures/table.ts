import { nothing } from './chart.ts';
import { type Box, fitting, rectangle, text } from './svg.ts';

const rowHeight = 20;

/** Rows of cells below a head; what there is no room for is counted. The widths are shares of the whole. */
export function drawnTable(
  { head, rows, widths }: { head: readonly string[]; rows: readonly (readonly string[])[]; widths: readonly number[] },
  { x, y, w, h }: Box,
): string {
  if (rows.length === 0) return nothing({ x, y, w, h });
  const starts = widths.map((_, at) => x + 10 + (w - 20) * widths.slice(0, at).reduce((sum, share) => sum + share, 0));
  const line = (cells: readonly string[], at: number, as: string) =>
    cells.map((cell, column) =>
      text(fitting(cell, (w - 20) * (widths[column] ?? 0) - 8, 6.2), starts[column] ?? x, y + 14 + at * rowHeight, {
        as,
      }),
    );
  const room = Math.floor((h - 12) / rowHeight) - 1;
  const fits = rows.length <= room ? rows : rows.slice(0, room - 1);
  return [
    ...line(head, 0, 'head'),
    rectangle({ x: x + 10, y: y + 20, w: w - 20, h: 1 }, 'class="grid"'),
    ...fits.flatMap((cells, at) => line(cells, at + 1, 'cell')),
    ...(fits.length < rows.length
      ? [text(`and ${rows.length - fits.length} more`, x + 10, y + 14 + (fits.length + 1) * rowHeight, { as: 'dim' })]
      : []),
  ].join('\n');
}
