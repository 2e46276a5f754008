import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  LegendDisplayMode,
  MappingType,
  type Panel,
  PercentChangeColorMode,
  SortOrder,
  type Threshold,
  ThresholdsMode,
  TooltipDisplayMode,
  type ValueMap,
  VizOrientation,
} from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as LineField,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** The data sources, each by the variable of a dashboard that chooses one: any Grafana has them under names of its own. */
export const metrics = { type: 'prometheus', uid: '${metrics}' };
export const traces = { type: 'jaeger', uid: '${traces}' };

/** What a Microservice is by its 1 or 0. */
export const readiness: ValueMap['options'] = {
  0: { text: 'not ready', color: 'red', index: 0 },
  1: { text: 'ready', color: 'green', index: 1 },
};

/** What every panel says: the question that it answers, and the unit of the answer. */
export interface Subject {
  readonly title: string;
  readonly description: string;
  /** One of Grafana's units: reqps, percentunit, s, bytes, short, none. */
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly links?: readonly Link[];
  /** Words in the place of values. */
  readonly words?: ValueMap['options'];
  /** Of 24 columns. */
  readonly width: number;
}

export interface Query {
  readonly expr: string;
  /** Name of a line, with labels in double braces. */
  readonly legend?: string;
}

export interface Link {
  readonly title: string;
  readonly url: string;
}

/** A panel that has no place yet: that follows from its width. */
export type Unplaced = Omit<Panel, 'gridPos' | 'id'> & { readonly size: { readonly w: number; readonly h: number } };

/** Lines over time. */
export function lines(subject: Subject): Unplaced {
  const custom: LineField = { lineWidth: 1, fillOpacity: 8 };
  const options: TimeSeriesOptions = {
    legend: {
      calcs: ['lastNotNull', 'max'],
      displayMode: LegendDisplayMode.Table,
      placement: 'bottom',
      showLegend: true,
    },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  return { ...panel('timeseries', subject, 8, custom), options: { ...options } };
}

/** One number, red from `badFrom` on. */
export function number(subject: Subject, badFrom?: number): Unplaced {
  const steps: Threshold[] = [{ color: 'green', value: null }];
  if (badFrom !== undefined) steps.push({ color: 'red', value: badFrom });
  const options: StatOptions = {
    colorMode: BigValueColorMode.Value,
    graphMode: BigValueGraphMode.Area,
    justifyMode: BigValueJustifyMode.Auto,
    textMode: BigValueTextMode.Value,
    orientation: VizOrientation.Auto,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    showPercentChange: false,
    wideLayout: true,
    reduceOptions: { calcs: ['lastNotNull'], values: false },
  };
  const made = panel('stat', subject, 4);
  return {
    ...made,
    options: { ...options },
    fieldConfig: {
      overrides: [],
      defaults: { ...made.fieldConfig?.defaults, thresholds: { mode: ThresholdsMode.Absolute, steps } },
    },
  };
}

/** The present state, a row each; the named columns in this order and no others. */
export function table(subject: Subject, columns: Readonly<Record<string, string>>): Unplaced {
  const options: TableOptions = {
    frameIndex: 0,
    showHeader: true,
    sortBy: [{ displayName: columns.Value ?? '', desc: false }],
  };
  const made = panel('table', subject, 8);
  const names = Object.keys(columns);
  return {
    ...made,
    options: { ...options },
    targets: (made.targets ?? []).map((target) => ({ ...target, instant: true, range: false, format: 'table' })),
    transformations: [
      { id: 'filterFieldsByName', options: { include: { names } } },
      {
        id: 'organize',
        options: { renameByName: columns, indexByName: Object.fromEntries(names.map((name, at) => [name, at])) },
      },
    ],
  };
}

/** Traces of a service, as Jaeger finds them. */
export function traceTable(subject: Omit<Subject, 'queries' | 'unit'>, service: string): Unplaced {
  const options: TableOptions = { frameIndex: 0, showHeader: true };
  return {
    ...panel('table', { ...subject, unit: 'none', queries: [] }, 10),
    datasource: traces,
    targets: [{ refId: 'A', datasource: traces, queryType: 'search', service, limit: 20 }],
    options: { ...options },
  };
}

/** Where Grafana's Explore shows the traces of a service, as Jaeger finds them for the time on the screen. */
export function searchTraces(service: string): Link {
  const query = { refId: 'A', datasource: traces, queryType: 'search', service, limit: 20 };
  const pane = { datasource: traces.uid, queries: [query], range: { from: '${__from}', to: '${__to}' } };
  const panes = encodeURIComponent(JSON.stringify({ traces: pane }));
  // Grafana puts in its variables before a browser reads the address, so they stay as they are.
  const url = panes.replace(/%24%7B(.*?)%7D/g, (_, name: string) => `\${${decodeURIComponent(name)}}`);
  return { title: `Traces of ${service}`, url: `/explore?schemaVersion=1&panes=${url}` };
}

function panel(type: string, subject: Subject, height: number, custom?: LineField): Unplaced {
  const { title, description, unit, queries, links = [], words, width } = subject;
  return {
    type,
    title,
    description,
    datasource: metrics,
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: metrics,
      expr,
      ...(legend === undefined ? {} : { legendFormat: legend }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(words ? { mappings: [{ type: MappingType.ValueToText, options: words }] } : {}),
        links: links.map((link) => ({ ...link })),
        ...(custom ? { custom: { ...custom } } : {}),
      },
      overrides: [],
    },
    size: { w: width, h: height },
  };
}
