/** A place on the page, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export type Anchor = 'start' | 'middle' | 'end';

interface Style {
  readonly as?: string;
  readonly anchor?: Anchor;
  readonly fill?: string;
}

/** Text at a place; `as` is a class of the page. */
export function text(words: string, x: number, y: number, { as, anchor, fill }: Style = {}): string {
  const attributes = [
    as === undefined ? '' : ` class="${as}"`,
    anchor === undefined || anchor === 'start' ? '' : ` text-anchor="${anchor}"`,
    fill === undefined ? '' : ` style="fill:${fill}"`,
  ].join('');
  return `<text x="${near(x)}" y="${near(y)}"${attributes}>${escaped(words)}</text>`;
}

export function rectangle({ x, y, w, h }: Box, attributes: string): string {
  return `<rect x="${near(x)}" y="${near(y)}" width="${near(w)}" height="${near(h)}" ${attributes}/>`;
}

/** A line through the points; where there is none, it is interrupted. */
export function polyline(points: readonly (readonly [number, number] | undefined)[], attributes: string): string {
  let last: readonly [number, number] | undefined;
  const parts = points.map((point) => {
    const from = last;
    last = point === undefined ? undefined : [Math.round(point[0]), Math.round(point[1])];
    if (last === undefined) return '';
    return from === undefined ? `M${last[0]} ${last[1]}h0` : `l${last[0] - from[0]} ${last[1] - from[1]}`;
  });
  return `<path d="${parts.join('')}" ${attributes}/>`;
}

/** As much of a text as there is room for, at some six pixels a letter. */
export function fitting(words: string, width: number, letter = 6): string {
  const most = Math.max(1, Math.floor(width / letter));
  return words.length <= most ? words : `${words.slice(0, most - 1)}…`;
}

export const near = (value: number) => String(Math.round(value * 10) / 10);

export function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
