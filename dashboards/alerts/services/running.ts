import type { Alert, Recording } from '../alert.ts';
import { ofMicroservices, selector, service } from '../selectors.ts';

const isUp = 'microservice:up:max == 1';

/**
 * Whether somebody answers who is meant to. Not every Microservice without an answer is down: it may be switched off, scaled
 * to nothing, or new and not there yet. Expected to answer is what has answered before and was not sent to rest since.
 */
export const recordings: readonly Recording[] = [
  {
    record: 'microservice:ready:max',
    expr: ofMicroservices('microservice_platform_microservice_ready', service),
  },
  { record: 'microservice:up:max', expr: `max by (${service}) (${selector('up')})` },
  { record: 'microservice:rests:bool', expr: `microservice:ready:max == 1 unless on (${service}) (${isUp})` },
  {
    record: 'microservice:answers:expected',
    // It remembers itself. What is Ready without anybody who answers is at rest, when it has been so for two minutes: the
    // operator needs a moment to see what has died. Where it is away, there have to be pods.
    expr: [
      isUp,
      `or (microservice:answers:expected and on (${service}) microservice:ready:max`,
      `unless on (${service}) (microservice:rests:bool and microservice:rests:bool offset 2m))`,
      `or (microservice:answers:expected and on (${service}) microservice:up:max`,
      `unless on (${service}) microservice:ready:max)`,
    ].join('\n'),
  },
  {
    record: 'microservice:down:bool',
    expr: `microservice:answers:expected unless on (${service}) (${isUp} or microservice:ready:max == 1)`,
  },
];

const cart = 'namespace="shop",service="cart"';
const up = (pod: string) => `up{job="microservices",${cart},pod="${pod}"}`;
const started = (pod: string) => `process_start_time_seconds{job="microservices",${cart},pod="${pod}"}`;
const ready =
  'microservice_platform_microservice_ready{job="operator",namespace="platform",exported_namespace="shop",name="cart"}';

/** Whether what is asked for runs. */
export const alerts: readonly Alert[] = [
  {
    name: 'ServiceDown',
    expr: 'microservice:down:bool == 1',
    for: '1m',
    severity: 'page',
    summary: '{{ $labels.service }} in {{ $labels.namespace }} is down.',
    description: 'It has answered before, wants pods, and none of them answers.',
    stories: [
      {
        title: 'all pods of a service crash, and are mended after five minutes',
        series: { [up('a')]: '1x8 0x20 1x20', [up('b')]: '1x8 0x20 1x20', [ready]: '1x8 0x20 1x20' },
        lasts: '12m',
        fires: { from: '195s', until: '450s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'its pods are gone, and no new ones can be made for five minutes',
        series: { [up('a')]: '1x8 stale', [ready]: '1x8 0x20 1x20', [up('c')]: '_x28 1x20' },
        lasts: '12m',
        fires: { from: '195s', until: '420s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'it hangs, which Prometheus sees a minute before the operator does',
        series: { [up('a')]: '1x8 0x24 1x16', [ready]: '1x12 0x20 1x16' },
        lasts: '12m',
        fires: { from: '255s', until: '510s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'it crashes while no operator is there to say so',
        series: { [up('a')]: '1x8 0x20 1x20', [ready]: '1x4 stale' },
        lasts: '12m',
        fires: { from: '195s', until: '450s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'it is switched off, and comes back slowly an hour later',
        series: { [up('a')]: '1x8 0x2 stale', [ready]: '1x8 0x1 1x240 0x20 1x10', [up('b')]: '_x255 0x16 1x10' },
        lasts: '70m',
      },
      {
        title: 'it is new, and takes five minutes until it answers',
        series: { [up('a')]: '_x2 0x20 1x20', [ready]: '0x22 1x20' },
        lasts: '10m',
      },
      {
        title: 'one of two pods crashes',
        series: { [up('a')]: '1x40', [up('b')]: '1x8 0x31', [ready]: '1x8 0x31' },
        lasts: '10m',
      },
      {
        title: 'Prometheus cannot reach it, but the kubelet can',
        series: { [up('a')]: '1x8 0x31', [ready]: '1x40' },
        lasts: '10m',
      },
    ],
  },
  {
    name: 'MicroserviceNotReady',
    expr: 'microservice:ready:max == 0',
    for: '15m',
    severity: 'ticket',
    summary: 'The Microservice {{ $labels.service }} in {{ $labels.namespace }} does not get Ready.',
    description: 'What was asked for does not run, or not all of it; what ran before may still do its work.',
    stories: [
      {
        title: 'an image cannot be pulled for twenty minutes',
        series: { [ready]: '1x3 0x79 1x10' },
        lasts: '23m',
        fires: { from: '960s', until: '1260s', labels: { namespace: 'shop', service: 'cart' } },
      },
      {
        title: 'a rollout that takes ten minutes',
        series: { [ready]: '1x3 0x39 1x30' },
        lasts: '18m',
      },
    ],
  },
  {
    name: 'PodsRestart',
    expr: `max by (${service}, pod) (changes(${selector('process_start_time_seconds')}[1h])) > 2`,
    for: '1m',
    severity: 'ticket',
    summary: 'The pod {{ $labels.pod }} of {{ $labels.service }} started anew more than twice within an hour.',
    description: 'Each time it leaves requests without an answer, and starts with nothing in memory.',
    stories: [
      {
        title: 'a pod is killed for its memory three times, and then stays',
        series: { [started('a')]: '100x3 160x3 220x3 280x260' },
        lasts: '65m',
        fires: { from: '240s', until: '3645s', labels: { namespace: 'shop', service: 'cart', pod: 'a' } },
      },
      {
        title: 'three rollouts, each with a pod of its own',
        series: {
          [started('a')]: '100x3 stale',
          [started('b')]: '_x4 160x3 stale',
          [started('c')]: '_x8 220x3 stale',
          [started('d')]: '_x12 280x60',
        },
        lasts: '15m',
      },
    ],
  },
];
