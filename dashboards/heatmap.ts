import type { Options } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import { panel, type Subject, type Unplaced } from './panel.ts';

/** How many fell into each bucket of a histogram, over time; queries are by `le`. */
export function heatmap(subject: Subject): Unplaced {
  const options = {
    calculate: false,
    cellGap: 1,
    color: { mode: 'scheme', scheme: 'Oranges', steps: 64, exponent: 0.5, fill: 'dark-orange', reverse: false },
    exemplars: { color: 'rgba(255,0,255,0.7)' },
    filterValues: { le: 1e-9 },
    legend: { show: true },
    showValue: 'never',
    tooltip: { mode: 'single', yHistogram: true },
    yAxis: { axisPlacement: 'left', unit: subject.unit },
  } satisfies Loosely<Options>;
  const made = panel('heatmap', subject, 8);
  return { ...made, options, targets: (made.targets ?? []).map((target) => ({ ...target, format: 'heatmap' })) };
}

/** The type's names, with words in the place of its enumerations, which exist as types alone. */
type Loosely<T> = { readonly [K in keyof T]: unknown };
