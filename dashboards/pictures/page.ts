import type { Dashboard } from '@grafana/schema';
import { drawnLines, type Named, nothing } from './chart.ts';
import { type Line, linesOf, logRows, momentsOf, type Range, rowsOf, type Sources, traceRows } from './data.ts';
import { drawnFigures, type Threshold, type Words } from './figure.ts';
import { drawnHeat } from './heat.ts';
import { type Box, escaped, fitting, rectangle, text } from './svg.ts';
import { drawnTable } from './table.ts';
import { shown } from './units.ts';

/** What is chosen at the top of a dashboard. */
export type Choices = Readonly<Record<string, string>>;

/** What a picture needs of a panel, whatever its type. */
interface Drawable {
  readonly type: string;
  readonly title?: string;
  readonly gridPos?: Box;
  readonly datasource?: { readonly type?: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults?: Defaults };
  readonly transformations?: readonly { readonly id: string; readonly options: { readonly renameByName?: Choices } }[];
}

interface Target {
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly service?: string;
}

interface Defaults {
  readonly unit?: string;
  readonly mappings?: readonly { readonly options?: Words }[];
  readonly thresholds?: { readonly steps?: readonly Threshold[] };
}

/** Where the data of a picture come from: what was chosen, of when, asked of whom. */
export interface Scene {
  readonly sources: Sources;
  readonly range: Range;
  readonly choices: Choices;
}

const width = 1200;
const column = width / 24;
const line = 26;
const top = 40;

/** A dashboard as an SVG page, with what its data sources have: the layout is Grafana's. */
export async function drawn(dashboard: Dashboard, scene: Scene): Promise<string> {
  const panels = (dashboard.panels ?? []) as readonly Drawable[];
  const marks = await marksOf(dashboard, scene);
  const parts: string[] = [];
  for (const panel of panels) parts.push(await drawnPanel(panel, scene, marks));
  const height = top + line * Math.max(...panels.map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0))) + 10;
  const title = substituted(dashboard.title ?? '', scene.choices);
  const chosen = dashboard.templating?.list?.some(({ name }) => name === 'service')
    ? ` · ${scene.choices.namespace}/${scene.choices.service}`
    : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-size="11">
<!-- Drawn by \`make pictures\` from what a cluster had: do not edit. -->
<title>${escaped(title)}</title>
<style>
text{font-family:system-ui,'DejaVu Sans',sans-serif;fill:#333}
.title{font-weight:600;font-size:12px}.row{font-weight:600;font-size:14px}.page{font-weight:600;font-size:18px}
.dim{fill:#777}.head{fill:#3274d9;font-weight:600}.big{font-size:24px;font-weight:600}
.grid{fill:#ddd}.line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
</style>
${rectangle({ x: 0, y: 0, w: width, h: height }, 'fill="#f4f5f5"')}
${text(`${title}${chosen}`, 12, 26, { as: 'page' })}
${parts.join('\n')}
</svg>
`;
}

async function drawnPanel(panel: Drawable, scene: Scene, marks: readonly number[]): Promise<string> {
  const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {};
  const box: Box = { x: x * column, y: top + y * line, w: w * column, h: h * line };
  const title = substituted(panel.title ?? '', scene.choices);
  if (panel.type === 'row') return text(title, box.x + 12, box.y + 18, { as: 'row' });
  const frame: Box = { x: box.x + 4, y: box.y + 4, w: box.w - 8, h: box.h - 8 };
  return [
    rectangle(frame, 'rx="3" fill="#fff" stroke="#ddd"'),
    text(fitting(title, frame.w - 20, 6.8), frame.x + 10, frame.y + 18, { as: 'title' }),
    await content(panel, { ...frame, y: frame.y + 24, h: frame.h - 28 }, scene, marks),
  ].join('\n');
}

async function content(panel: Drawable, box: Box, scene: Scene, marks: readonly number[]): Promise<string> {
  const { sources, range, choices } = scene;
  const { targets = [], fieldConfig, type, datasource } = panel;
  const { unit = 'none', mappings = [], thresholds } = fieldConfig?.defaults ?? {};
  const words = mappings[0]?.options ?? {};
  const [first] = targets;
  if (datasource?.type === 'loki') {
    const rows = sources.loki ? await logRows(sources.loki, substituted(first?.expr ?? '', choices), range) : [];
    return drawnTable({ head: ['Time', 'Line'], rows, widths: [0.12, 0.88] }, box);
  }
  if (datasource?.type === 'jaeger') {
    const rows = sources.jaeger ? await traceRows(sources.jaeger, substituted(first?.service ?? '', choices)) : [];
    const head = ['Start', 'Trace', 'Name', 'Duration', 'Spans'];
    return drawnTable({ head, rows, widths: [0.13, 0.2, 0.43, 0.14, 0.1] }, box);
  }
  if (type === 'table') return tableOf(panel, { box, unit, words }, scene);
  const lines = await named(targets, scene);
  if (type === 'stat') return drawnFigures(lines, { box, unit, steps: thresholds?.steps ?? [], words });
  if (type === 'heatmap') return drawnHeat(lines, { box, range });
  return type === 'timeseries' ? drawnLines(lines, { box, unit, range, marks }) : nothing(box);
}

async function tableOf(
  { targets = [], transformations = [] }: Drawable,
  { box, unit, words }: { box: Box; unit: string; words: Words },
  { sources, range, choices }: Scene,
): Promise<string> {
  const columns = transformations.find(({ id }) => id === 'organize')?.options.renameByName ?? {};
  const names = Object.keys(columns);
  const found = await rowsOf(sources.prometheus, substituted(targets[0]?.expr ?? '', choices), range.end);
  const cell = ({ labels, values: [value] }: Line) =>
    names.map((name) => (name === 'Value' ? (words[String(value)]?.text ?? shown(value, unit)) : (labels[name] ?? '')));
  const widths = names.map(() => 1 / names.length);
  const rows = [...found].sort((a, b) => (a.values[0] ?? 0) - (b.values[0] ?? 0)).map(cell);
  return drawnTable({ head: Object.values(columns), rows, widths }, box);
}

async function named(targets: readonly Target[], { sources, range, choices }: Scene): Promise<readonly Named[]> {
  const lines: Named[] = [];
  for (const { expr = '', legendFormat = '' } of targets) {
    const found = await linesOf(sources.prometheus, substituted(expr, choices), range);
    const nameOf = ({ labels }: Line) =>
      legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
    lines.push(...found.map((it) => ({ ...it, name: nameOf(it) })));
  }
  return lines;
}

/** The moments at which something began that is marked on a dashboard. */
async function marksOf(dashboard: Dashboard, { sources, range, choices }: Scene): Promise<readonly number[]> {
  const moments = momentsOf(range);
  const found: number[] = [];
  for (const annotation of dashboard.annotations?.list ?? []) {
    const { expr } = annotation as { expr?: string };
    if (expr === undefined) continue;
    for (const { values } of await linesOf(sources.prometheus, substituted(expr, choices), range)) {
      values.forEach((value, at) => {
        // What goes on since before the picture began did not begin in it.
        if (at > 0 && value !== null && values[at - 1] === null) found.push(moments[at] ?? 0);
      });
    }
  }
  return found;
}

function substituted(words: string, choices: Choices): string {
  return words.replaceAll('$__rate_interval', '1m').replaceAll(/\$(\w+)/g, (all, name: string) => choices[name] ?? all);
}
