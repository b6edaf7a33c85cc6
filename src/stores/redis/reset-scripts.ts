import type { RedisScript } from './redis-connection.js';

/**
 * Scripts of the reset counts that replicas share. Those of a tenant are in a hash, by the thumbprint of the AK; a sorted set says
 * when each last rose, by the server's time in milliseconds. Commands are those that challenges and endorsements need too.
 *
 * A server that became a replica still answers, from data that lag behind: lower counts would pass for the highest. So each script
 * first looks at the role, as those of challenges do.
 */
const PRIMARY = String.raw`
if string.match(redis.call('INFO', 'replication'), '\nrole:(%a+)') ~= 'master' then return {'replica'} end
`;

/** Keys: counts. Arguments: thumbprint. */
export const HIGHEST: RedisScript = {
  name: 'highest',
  text: `${PRIMARY}
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then return {'none'} end
return {'kept', kept}
`,
};

/**
 * Keeps counts where nothing as high is kept. An entry that does not begin with two counts stays: the answer has it, and whoever
 * reads it finds out.
 *
 * Room is made before an entry is added: otherwise the new one could be what is forgotten.
 *
 * Keys: counts, times of their rises. Arguments: thumbprint, entry, its resetCount and restartCount, the most that a tenant may have,
 * how many are forgotten beside those that have to be.
 */
export const RAISE: RedisScript = {
  name: 'raise',
  text: `${PRIMARY}
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local forgotten = 0
if kept then
  local reset, restart = string.match(kept, '^(%d+) (%d+) ')
  reset, restart = tonumber(reset), tonumber(restart)
  local newReset, newRestart = tonumber(ARGV[3]), tonumber(ARGV[4])
  local isBehind = reset and (reset < newReset or (reset == newReset and restart < newRestart))
  if not isBehind then return {'kept', kept} end
else
  local surplus = redis.call('HLEN', KEYS[1]) + 1 - tonumber(ARGV[5])
  if surplus > 0 then
    local oldest = redis.call('ZRANGE', KEYS[2], 0, surplus + ARGV[6] - 1)
    for _, vtpm in ipairs(oldest) do
      forgotten = forgotten + redis.call('HDEL', KEYS[1], vtpm)
      redis.call('ZREM', KEYS[2], vtpm)
    end
  end
end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return {'raised', string.format('%.0f', forgotten)}
`,
};
