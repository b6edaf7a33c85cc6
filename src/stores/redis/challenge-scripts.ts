import type { RedisScript } from './redis-connection.js';

/**
 * Every script first asks the server who it is, within its one step: an answer that was given earlier, or over another
 * connection, could be of another server. `run_id` changes with each start of a server, `master_replid` whenever one
 * becomes the primary. Together they change whenever records may be older than what was answered: after a restart from a
 * snapshot, after a failover, and after one back to a server that ran on.
 *
 * The first key is the fingerprint of the challenge key, the first argument what it has to be.
 */
const IDENTITY = String.raw`
local info = redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
local run = string.match(info, '\nrun_id:(%x+)')
local history = string.match(info, '\nmaster_replid:(%x+)')
if string.match(info, '\nrole:(%a+)') ~= 'master' then return {'replica'} end
if not run or not history then return {'nameless'} end
`;

const SAME_KEY = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'foreign'} end
`;

/** Leaves the fingerprint where there is none, and compares. Returns who the server is. */
export const ADMIT: RedisScript = {
  name: 'admit',
  text: `${IDENTITY}
redis.call('SET', KEYS[1], ARGV[1], 'NX')
${SAME_KEY}
return {'admitted', run, history}
`,
};

/**
 * Keys: fingerprint, record, those of the tenant. Arguments: fingerprint, id, lifetime in milliseconds, the most that a
 * tenant may have, then names and values of the scope and of when the challenge was issued.
 *
 * The record goes with its expiry, which the server counts from now on. Of the ids of a tenant, a few that have expired are
 * dropped each time: none of them takes the place of one that has not, and no call has to drop many.
 */
export const PUT: RedisScript = {
  name: 'put',
  text: `${IDENTITY}${SAME_KEY}
if redis.call('EXISTS', KEYS[2]) == 1 then return {'taken'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 16)
if #ended > 0 then redis.call('ZREM', KEYS[3], unpack(ended)) end
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then return {'full'} end
redis.call('HSET', KEYS[2], 'run', run, 'history', history, 'unused', '1', unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[2])
if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[3], ARGV[3]) end
return {'kept'}
`,
};

/**
 * Keys: fingerprint, record. Arguments: fingerprint, tenant, audience after an equals sign or nothing where there is none,
 * type of evidence, then the policies.
 *
 * What marks a record as used is that it has no member `unused` any more: a server that has no memory left refuses to
 * add a mark, but lets one be taken away.
 */
export const CONSUME: RedisScript = {
  name: 'consume',
  text: `${IDENTITY}${SAME_KEY}
local record = redis.call('HMGET', KEYS[2], 'run', 'history', 'tenant', 'audience', 'policy', 'evidenceType', 'unused', 'issuedAt')
if not record[3] then return {'unknown'} end
if record[1] ~= run or record[2] ~= history then return {'void'} end
if record[3] ~= ARGV[2] then return {'scope'} end
local fits = not record[4] or '=' .. record[4] == ARGV[3]
fits = fits and (not record[6] or record[6] == ARGV[4])
if record[5] then
  fits = fits and #ARGV > 4
  for index = 5, #ARGV do fits = fits and ARGV[index] == record[5] end
end
if not fits then return {'scope', record[4], record[5], record[6]} end
if not record[7] then return {'used'} end
redis.call('HDEL', KEYS[2], 'unused')
return {'consumed', record[4], record[5], record[6], record[8]}
`,
};
