import { type RateWindows, slotMs, slotsInWindow, type Verdict } from './rate-window.ts';
import type { RedisConnection } from './redis-connection.ts';

/** As `take` in rate-window.ts, by the clock of Redis, so that all replicas count in the same slots. */
const script = `
local limit, slot_ms, slots = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot = math.floor(now / slot_ms)
local used, oldest = 0, slot
local counted = redis.call('HGETALL', KEYS[1])
for i = 1, #counted, 2 do
  local at = tonumber(counted[i])
  if at < slot - slots then
    redis.call('HDEL', KEYS[1], counted[i])
  else
    used = used + tonumber(counted[i + 1])
    oldest = math.min(oldest, at)
  end
end
local allowed = 0
if used < limit then
  allowed = 1
  used = used + 1
  redis.call('HINCRBY', KEYS[1], string.format('%d', slot), 1)
  redis.call('PEXPIRE', KEYS[1], (slots + 1) * slot_ms)
end
return {allowed, limit - used, (oldest + slots + 1) * slot_ms - now}
`;

/** Counts in Redis, one round trip for each request, for all replicas together; by `local` alone while it is away. */
export function redisWindows(redis: Pick<RedisConnection, 'ask'>, local: RateWindows): RateWindows {
  return {
    take: async (key, limit) => {
      const numbers = [limit.requests, slotMs(limit), slotsInWindow].map(String);
      const answer = await redis.ask((client) => client.eval(script, { keys: [key], arguments: numbers }));
      return answer === undefined ? local.take(key, limit) : verdictOf(answer);
    },
  };
}

function verdictOf(answer: unknown): Verdict {
  const [allowed, remaining, waitMs] = answer as readonly [number, number, number];
  return { allowed: allowed === 1, remaining, waitMs };
}
