import { dashboard, type Row } from './dashboard.ts';
import { chosenPlace, searchLogs, searchTraces, toOverview } from './links.ts';
import { logPanel } from './log-panel.ts';
import { traceTable } from './panel.ts';
import { aService } from './service/chosen.ts';
import { dependencies } from './service/dependencies.ts';
import { now } from './service/now.ts';
import { requests } from './service/requests.ts';
import { saturation } from './service/saturation.ts';

const found: Row = {
  title: 'Logs and traces',
  panels: [
    logPanel(
      {
        title: 'Latest log lines',
        description: 'What its pods say, from Loki; the id of a trace in a line leads to the trace.',
        links: [searchLogs(chosenPlace)],
        width: 12,
      },
      { namespace: '$namespace', service: '$service' },
    ),
    traceTable(
      {
        title: 'Latest traces',
        description: 'Traces that the service took part in, from Jaeger; the id leads to the trace.',
        links: [searchTraces('${service}')],
        width: 12,
      },
      '$service',
    ),
  ],
};

/** What one service does for its callers, whom it depends on, what it costs, and where it is at its limits. */
export const service = dashboard({
  uid: 'microservice',
  title: 'One service',
  description:
    'Rate, errors and duration of one Microservice, whom it asks, how near it is to its limits, its log and its traces.',
  variables: aService,
  onward: toOverview,
  rows: [now, requests, dependencies, saturation, found],
});
