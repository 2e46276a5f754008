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
import type { Link } from './links.ts';
import { metrics, traces } from './sources.ts';

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
  /** In lines of the grid; without it what fits the type of the panel. */
  readonly height?: number;
}

/** A number that is red below a threshold. */
export interface Judged extends Subject {
  readonly goodFrom?: number;
}

export interface Query {
  readonly expr: string;
  /** Name of a line, with labels in double braces. */
  readonly legend?: string;
  /** Dots of single requests, each with the id of its trace: for what comes from buckets that have them. */
  readonly exemplar?: true;
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

/** One number, red from `badFrom` on, or below `goodFrom`. */
export function number(subject: Judged, badFrom?: number): Unplaced {
  const { goodFrom } = subject;
  const steps: Threshold[] = [{ color: goodFrom === undefined ? 'green' : 'red', value: null }];
  if (goodFrom !== undefined) steps.push({ color: 'green', value: goodFrom });
  if (badFrom !== undefined) steps.push({ color: 'red', value: badFrom });
  const options: StatOptions = {
    colorMode: BigValueColorMode.Value,
    graphMode: BigValueGraphMode.Area,
    justifyMode: BigValueJustifyMode.Auto,
    textMode: subject.queries[0]?.legend === undefined ? BigValueTextMode.Value : BigValueTextMode.ValueAndName,
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

/** A panel of any type, without its options. */
export function panel(type: string, subject: Subject, height: number, custom?: LineField): Unplaced {
  const { title, description, unit, queries, links = [], words, width } = subject;
  const h = subject.height ?? height;
  return {
    type,
    title,
    description,
    datasource: metrics,
    targets: queries.map(({ expr, legend, exemplar }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: metrics,
      expr,
      ...(legend === undefined ? {} : { legendFormat: legend }),
      ...(exemplar ? { exemplar } : {}),
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
    size: { w: width, h },
  };
}
