import { LogsDedupStrategy, LogsSortOrder } from '@grafana/schema';
import type { Options } from '@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen';
import { logsOf, type Place } from './links.ts';
import { panel, type Subject, type Unplaced } from './panel.ts';
import { logs } from './sources.ts';

/** The log of a service, as Loki has it; the id of a trace in a line leads to the trace. */
export function logPanel(subject: Omit<Subject, 'queries' | 'unit'>, place: Place): Unplaced {
  const options: Options = {
    dedupStrategy: LogsDedupStrategy.none,
    enableLogDetails: true,
    prettifyLogMessage: false,
    showCommonLabels: false,
    showLabels: false,
    showLogContextToggle: false,
    showTime: true,
    sortOrder: LogsSortOrder.Descending,
    wrapLogMessage: true,
  };
  return {
    ...panel('logs', { ...subject, unit: 'none', queries: [] }, 10),
    datasource: logs,
    targets: [{ refId: 'A', datasource: logs, queryType: 'range', expr: logsOf(place), maxLines: 200 }],
    options: { ...options },
  };
}
