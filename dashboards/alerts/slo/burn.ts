import { type Alert, every } from '../alert.ts';
import { answers, availability, promise, times } from './shop.ts';

/**
 * The budget is used so many times too fast, over a long window, and still over a short one: what is over is over soon.
 * At least ten bad requests, as the first failure of a service that is asked once a minute burns a month's budget.
 */
const burns = (factor: number, long: string, short: string, countedIn: string) =>
  [
    `slo:burn_rate:ratio_rate${long} > ${factor}`,
    `and slo:burn_rate:ratio_rate${short} > ${factor}`,
    `and sum_over_time(slo:errors:rate5m[${countedIn}]) * ${every} >= 10`,
  ].join(' ');

/** Whether what was promised can still be kept. */
export const alerts: readonly Alert[] = [
  {
    name: 'SloBurnsFast',
    expr: `(${burns(14.4, '1h', '5m', '1h')})\nor (${burns(6, '6h', '30m', '6h')})`,
    // Longer than it takes to see whose fault it is: that holds the page back where it is a dependency's.
    for: '1m',
    severity: 'page',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} breaks its promise of {{ $labels.slo }} fast.',
    description: 'At this rate the error budget of a month is gone within days: 2 % of it in an hour, or 5 % in six.',
    stories: [
      {
        title: 'after a good hour one request in five fails, for ten minutes',
        series: {
          ...promise('0.999'),
          [answers('200')]: '0+15x240 3612+12x40 4095+15x240',
          [answers('503')]: '0x240 3+3x39 120x240',
        },
        lasts: '2h',
        fires: { from: '3915s', until: '6105s', labels: availability },
      },
      {
        title: 'after a good hour everything is slow for ten minutes',
        series: {
          ...promise('0.99', 'latency', '1'),
          [times('1.0')]: '0+15x240 3600x40 3615+15x240',
          [times('+Inf')]: '0+15x521',
        },
        lasts: '2h',
        fires: { from: '4035s', until: '6045s', labels: { ...availability, slo: 'latency' } },
      },
      {
        title: 'a rollout that fails at a few requests, far less than was promised',
        series: { ...promise('0.99'), [answers('200')]: '0+150x240', [answers('503')]: '0x60 1+1x19 20x160' },
        lasts: '1h',
      },
      {
        title: 'it is asked once a minute, and fails five times in a row',
        series: {
          ...promise('0.999'),
          [answers('200')]: '1x3 2x3 3x200',
          [answers('503')]: '0x20 1x3 2x3 3x3 4x3 5x180',
        },
        lasts: '50m',
      },
      {
        title: 'nobody asks',
        series: { ...promise('0.999'), [answers('200')]: '7x240', [answers('503')]: '7x240' },
        lasts: '1h',
      },
    ],
  },
  {
    name: 'SloBurnsSlowly',
    expr: `(${burns(3, '1d', '2h', '2h')})\nor (${burns(1, '3d', '6h', '6h')})`,
    for: '15m',
    severity: 'ticket',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} uses up its error budget for {{ $labels.slo }}.',
    description: 'At this rate nothing of the budget is left before the month is over.',
    stories: [
      {
        title: 'after a good half hour one request in fifty fails, for 80 minutes, where one in a hundred may',
        series: {
          ...promise('0.99'),
          [answers('200')]: '0+50x120 6049+49x319 21730+50x280',
          [answers('503')]: '0x120 1+1x319 320x280',
        },
        lasts: '175m',
        fires: { from: '4665s', until: '9735s', labels: availability },
      },
      {
        title: 'one request in two hundred fails, where one in a hundred may',
        series: { ...promise('0.99'), [answers('200')]: '0+199x480', [answers('503')]: '0+1x480' },
        lasts: '2h',
      },
    ],
  },
];
