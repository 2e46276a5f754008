import {
  type Dashboard,
  DashboardCursorSync,
  defaultDashboard,
  type Panel,
  type RowPanel,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema';
import { faults, rollouts } from './annotations.ts';
import type { Link } from './links.ts';
import type { Unplaced } from './panel.ts';
import { logs, metrics, traces } from './sources.ts';

/** What all dashboards of the platform are found, and linked with each other, by. */
export const tag = 'microservice-platform';

export interface Content {
  /** Part of addresses, so it never changes. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly VariableModel[];
  readonly rows: readonly Row[];
  /** Where a panel leads that has no way on of its own. */
  readonly onward: Link;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Unplaced[];
}

/** A dashboard in Grafana's classic schema, which every Grafana from 10 on reads. */
export function dashboard({ uid, title, description, variables = [], rows, onward }: Content): Dashboard {
  const panels = placed(rows, onward);
  return {
    uid,
    title,
    description,
    tags: [tag],
    schemaVersion: defaultDashboard.schemaVersion,
    editable: false,
    graphTooltip: DashboardCursorSync.Crosshair,
    time: { from: 'now-30m', to: 'now' },
    refresh: '10s',
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Microservice Platform',
        tags: [tag],
        icon: 'external link',
        tooltip: '',
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
      },
    ],
    templating: { list: [...sourcesOf(panels), ...variables] },
    annotations: { list: variables.length === 0 ? [] : [rollouts, faults] },
    panels,
  };
}

/** A variable that takes its values from Prometheus. */
export function choice(name: string, label: string, query: string): VariableModel {
  return {
    name,
    label,
    type: 'query',
    datasource: metrics,
    query: { query, refId: name },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
  };
}

/** A variable for each data source that is asked: a Grafana without logs has nothing to choose them from. */
function sourcesOf(panels: readonly object[]): VariableModel[] {
  const asked = JSON.stringify(panels);
  return [
    source('metrics', 'Metrics', metrics.type),
    ...(asked.includes(traces.uid) ? [source('traces', 'Traces', traces.type)] : []),
    ...(asked.includes(logs.uid) ? [source('logs', 'Logs', logs.type)] : []),
  ];
}

/** A variable that chooses a data source: in the chart's Grafana the one whose uid is that of its type. */
function source(name: string, label: string, type: string): VariableModel {
  return { name, label, type: 'datasource', query: type, current: { text: label, value: type, selected: true } };
}

/** Panels from left to right, in lines of 24 columns, below the title of their row. */
function placed(rows: readonly Row[], onward: Link): (Panel | RowPanel)[] {
  const all: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const { size, ...panel } of panels) {
      if (x + size.w > 24) {
        y += height;
        x = 0;
        height = 0;
      }
      all.push({ ...leading(panel, onward), id: all.length + 1, gridPos: { x, y, ...size } });
      x += size.w;
      height = Math.max(height, size.h);
    }
    y += height;
  }
  return all;
}

function leading(panel: Omit<Unplaced, 'size'>, onward: Link): Omit<Unplaced, 'size'> {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  if ((defaults.links ?? []).length > 0) return panel;
  return { ...panel, fieldConfig: { defaults: { ...defaults, links: [{ ...onward }] }, overrides } };
}
