/**
 * What is known of a peer that makes as many children: the Runtime Component Operator, in Go. Measured elsewhere on
 * 2 cores, not in this run: an order of magnitude to read ours against, not a contest.
 */
export const peer = {
  name: 'Runtime Component Operator (Go)',
  measured: 'measured elsewhere on 2 cores, not in this run',
  resourcesASecond: '12.4',
  requestsForEach: 'more than 20',
  requestsAMinuteAtRest: 'about 5,000',
  editMs: '33, worst of 15: 70',
  repairMs: 'about 40',
} as const;
