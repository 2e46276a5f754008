import { nothing, times } from './chart.ts';
import type { Line, Range } from './data.ts';
import { type Box, rectangle, text } from './svg.ts';
import { shown } from './units.ts';

/** So many columns: more cannot be told apart. */
const columns = 40;

/** The buckets of a histogram over time: the more fell into one, the darker it is. */
export function drawnHeat(buckets: readonly Line[], { box, range }: { box: Box; range: Range }): string {
  const sorted = [...buckets].sort((a, b) => edge(a) - edge(b));
  const plot: Box = { x: box.x + 78, y: box.y + 6, w: box.w - 90, h: box.h - 30 };
  const own = sorted.map(({ values }, row) =>
    folded(values.map((value, at) => Math.max(0, (value ?? 0) - (sorted[row - 1]?.values[at] ?? 0)))),
  );
  const most = Math.max(...own.flat(), 0);
  if (most === 0) return nothing(box);
  const [w, h] = [plot.w / columns, plot.h / own.length];
  const cells = own.flatMap((counts, row) =>
    counts.flatMap((count, column) => {
      if (count === 0) return [];
      const at = { x: plot.x + column * w, y: plot.y + plot.h - (row + 1) * h, w: w - 1, h: h - 1 };
      return [rectangle(at, `fill="#e0752d" opacity="${(0.15 + 0.85 * Math.sqrt(count / most)).toFixed(2)}"`)];
    }),
  );
  const labels = sorted.flatMap((bucket, row) =>
    row % 3 === 0
      ? [
          text(shown(edge(bucket), 's'), plot.x - 6, plot.y + plot.h - row * h - h / 2 + 4, {
            anchor: 'end',
            as: 'dim',
          }),
        ]
      : [],
  );
  return [...cells, ...labels, ...times(plot, range)].join('\n');
}

const edge = ({ labels }: Line) => (labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le));

/** The sums of as many neighbours as there are to a column. */
function folded(values: readonly number[]): number[] {
  const sums = Array.from({ length: columns }, () => 0);
  values.forEach((value, at) => {
    const column = Math.min(columns - 1, Math.floor((at / values.length) * columns));
    sums[column] = (sums[column] ?? 0) + value;
  });
  return sums;
}
