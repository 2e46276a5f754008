import type { Alert, Duration, Recording } from '../alert.ts';
import { service } from '../selectors.ts';
import { answers, availability, promise } from './shop.ts';
import { burnRate, longWindows } from './windows.ts';

/** How often the group `budget` is looked at: a month of samples of every quarter of a minute would be dear to sum up. */
export const budgetEvery = '1m' satisfies Duration;

const bad = (window: string) => `sum_over_time(slo:errors_sampled:rate5m[${window}])`;
const all = (window: string) => `sum_over_time(slo:requests_sampled:rate5m[${window}])`;

/** What takes days, from samples that are further apart; and what is left of the budget of a month. */
export const recordings: readonly Recording[] = [
  { record: 'slo:requests_sampled:rate5m', expr: 'slo:requests:rate5m' },
  { record: 'slo:errors_sampled:rate5m', expr: 'slo:errors:rate5m' },
  ...longWindows.flatMap((window) => [
    { record: `slo:sli_error:ratio_rate${window}`, expr: `${bad(window)} / (${all(window)} > 0)` },
    burnRate(window),
  ]),
  {
    record: 'slo:error_budget:remaining_ratio',
    expr: `1 - ${bad('30d')} / (${all('30d')} > 0) / on (${service}, slo) (1 - slo:objective:ratio)`,
  },
];

/** Whether there is anything left of it. */
export const alerts: readonly Alert[] = [
  {
    name: 'ErrorBudgetUsedUp',
    // A service that is hardly asked has used it up with its first failure; that is no matter for anybody yet.
    expr: `slo:error_budget:remaining_ratio <= 0 and ${bad('30d')} * ${budgetEvery} >= 10`,
    for: '5m',
    severity: 'ticket',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} has no error budget left for {{ $labels.slo }}.',
    description: 'Over 30 days more requests were bad than was promised. What is risky had better wait.',
    stories: [
      {
        title: 'after a good half hour one request in thirty fails, for 25 minutes, where one in a hundred may',
        series: {
          ...promise('0.99'),
          [answers('200')]: '0+30x120 3629+29x99 6530+30x200',
          [answers('503')]: '0x120 1+1x99 100x200',
        },
        lasts: '95m',
        fires: { from: '3015s', until: '5130s', labels: availability },
      },
      {
        title: 'the first request of all fails',
        series: { ...promise('0.999'), [answers('200')]: '0x10 1+1x100', [answers('503')]: '0x4 1x110' },
        lasts: '25m',
      },
    ],
  },
];
