import { LOG_PARTS } from './log-keys.js';
import type { RedisScript } from './redis-connection.js';

/**
 * What changes the decision log. Each script is one step of the server: it is carried out as a whole, or not at all. What
 * could make it stop in the middle is looked at before it writes, permissions too; a server without memory refuses the first write or none.
 */

const PRELUDE = `
local ${LOG_PARTS.join(', ')} = unpack(KEYS)
local function last(chain)
  return redis.call('ZRANGE', records, '(' .. chain .. '!', '[' .. chain .. ' ', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
end
local function entryOf(id)
  local text = redis.call('HGET', decisions, id or '')
  local isList, entry = pcall(cjson.decode, text)
  if not isList or type(entry) ~= 'table' or type(entry[4]) ~= 'table' then return nil end
  for _, at in ipairs({1, 2, 3, 5}) do if type(entry[at]) ~= 'string' then return nil end end
  for _, policy in ipairs(entry[4]) do if type(policy) ~= 'string' then return nil end end
  return entry, text
end
local function forbidden()
  for _, command in ipairs({'HGET', 'HSET', 'HSETNX', 'HINCRBY', 'HDEL', 'SADD', 'SREM', 'ZADD', 'ZREM', 'ZREMRANGEBYLEX'}) do
    if not redis.acl_check_cmd(command, records, '0', '0') then return command end
  end
end
local function refusal(command)
  return {err = 'NOPERM the user may not run ' .. command .. ' within scripts'}
end
local function releasesOf(id, chain)
  local found = {}
  for _, member in ipairs(redis.call('ZRANGE', releases, '[' .. id .. ' ', '(' .. id .. '!', 'BYLEX')) do
    local place, kind = string.match(member, '^[^ ]* ([^ ]* [^ ]*) (.*)$')
    if place and string.sub(place, 1, #chain + 1) == chain .. ' ' then
      found[#found + 1] = {member = member, place = place, at = place .. ' ' .. id .. ' ' .. kind}
    end
  end
  return found
end
`;

/** @param text gets each key by the name of the part */
export function logScript(name: string, text: string): RedisScript {
  return { name, text: PRELUDE + text };
}

/**
 * Argument: the number of the form. Writes something each time, so that it can be seen whether that is synced; a server that
 * has no memory left is used all the same, to read and to make room.
 */
export const ADMIT_LOG = logScript(
  'admit decisions',
  `
local found = redis.call('GET', form)
if found and found ~= ARGV[1] then return {'form', found} end
if forbidden() then return {'forbidden', forbidden()} end
local written = redis.pcall('SET', form, ARGV[1])
if not written.err then return {'admitted'} end
if string.sub(written.err, 1, 3) == 'OOM' then return {'full'} end
return written
`,
);

/**
 * Arguments: a plan in JSON, the contents of its records in their order, then the bytes of its objects in theirs.
 *
 * A record is taken only where it follows the last one of its chain: a server that lost records, or has some that this
 * process does not know of, must not get a second record for a place.
 */
export const APPEND = logScript(
  'append',
  `
if forbidden() then return refusal(forbidden()) end
local plan = cjson.decode(ARGV[1])
local ends = {}
for _, record in ipairs(plan.records) do
  local before = ends[record.chain]
  if not before then
    if (redis.call('HGET', fences, record.chain) or '') ~= plan.fences[record.chain] then return {'fenced'} end
    local member = last(record.chain)
    before = member and {string.sub(member, #record.chain + 2, #record.chain + 17), string.sub(member, -64)} or {'', plan.none}
  end
  if before[1] ~= record.after or before[2] ~= record.previous then return {'fork', before[1]} end
  ends[record.chain] = {record.seq, record.hash}
  if record.decision and redis.call('HEXISTS', decisions, record.decision.id) == 1 then return {'taken'} end
end
for index, record in ipairs(plan.records) do
  local place = record.chain .. ' ' .. record.seq
  redis.call('HSET', contents, place, ARGV[1 + index])
  local decision = record.decision
  if decision then
    redis.call('HSET', decisions, decision.id, decision.entry)
    redis.call('ZADD', places, 0, place .. ' ' .. decision.id)
    redis.call('ZADD', outcomes, 0, decision.outcome)
    for _, policy in ipairs(decision.policies) do redis.call('ZADD', policies, 0, policy) end
    if #decision.objects > 0 then redis.call('HSET', kept, decision.id, table.concat(decision.objects, ' ')) end
    for _, object in ipairs(decision.objects) do
      redis.call('HINCRBY', uses, object, 1)
      redis.call('ZADD', digests, 0, object)
    end
  end
  local withdrawn_entry = record.withdraws and entryOf(record.withdraws)
  if withdrawn_entry and string.sub(withdrawn_entry[1], 1, #record.chain + 1) == record.chain .. ' ' then
    redis.call('SADD', withdrawn, record.withdraws)
  end
  local release = record.release
  if release then
    redis.call('ZADD', releases, 0, release.id .. ' ' .. place .. ' ' .. release.kind)
    redis.call('ZADD', releasePlaces, 0, place .. ' ' .. release.id .. ' ' .. release.kind)
  end
  redis.call('ZADD', records, 0, table.concat({place, record.previous, record.contentSha256, record.hash}, ' '))
end
for index, object in ipairs(plan.objects) do
  redis.call('HSETNX', objects, object, ARGV[1 + #plan.records + index])
end
return {'stored'}
`,
);

/** Arguments: chain, what its appends have to name from now on. Returns the last record of it. */
export const FENCE = logScript(
  'fence',
  `
redis.call('HSET', fences, ARGV[1], ARGV[2])
return {last(ARGV[1]) or false}
`,
);

/** Arguments: place, JWS. */
export const PUT_HEAD = logScript(
  'put head',
  `
redis.call('ZREMRANGEBYLEX', heads, '[' .. ARGV[1] .. ' ', '(' .. ARGV[1] .. '!')
redis.call('ZADD', heads, 0, ARGV[1] .. ' ' .. ARGV[2])
return {'stored'}
`,
);

/** Arguments: milliseconds since 1970, and between two times at which content is dropped. Returns whether it may be dropped now. */
export const CLAIM_PRUNING = logScript(
  'claim pruning',
  `
local mark, now = tonumber(redis.call('GET', prunedAt) or ''), tonumber(ARGV[1])
local known = mark and mark <= now
if known and now - mark < tonumber(ARGV[2]) then return 0 end
redis.call('SET', prunedAt, ARGV[1])
return known and 1 or 0
`,
);

/**
 * Arguments: of each decision its id, chain, place, and the last place of its release. Returns of how many it was. One whose release
 * goes on behind that place stays: nothing says of those records that they are dropped.
 */
export const PRUNE = logScript(
  'prune',
  `
if forbidden() then return refusal(forbidden()) end
local dropped = 0
for index = 1, #ARGV, 4 do
  local id, chain, place, through = unpack(ARGV, index, index + 3)
  local member = place .. ' ' .. id
  local released, goesOn = releasesOf(id, chain), not redis.call('ZSCORE', places, member)
  for _, release in ipairs(released) do goesOn = goesOn or release.place > through end
  if not goesOn then
    dropped = dropped + 1
    for _, release in ipairs(released) do
      redis.call('HDEL', contents, release.place)
      redis.call('ZREM', releases, release.member)
      redis.call('ZREM', releasePlaces, release.at)
    end
    redis.call('ZREM', places, member)
    redis.call('HDEL', contents, place)
    local entry = entryOf(id)
    if entry then
      redis.call('ZREM', outcomes, entry[2] .. ' ' .. entry[3] .. ' ' .. id)
      for _, policy in ipairs(entry[4]) do
        redis.call('ZREM', policies, entry[2] .. ' ' .. policy .. ' ' .. entry[3] .. ' ' .. id)
      end
    end
    redis.call('HDEL', decisions, id)
    redis.call('SREM', withdrawn, id)
    for object in string.gmatch(redis.call('HGET', kept, id) or '', '%S+') do
      if redis.call('HINCRBY', uses, object, -1) <= 0 then
        redis.call('HDEL', uses, object)
        redis.call('HDEL', objects, object)
        redis.call('ZREM', digests, object)
      end
    end
    redis.call('HDEL', kept, id)
  end
end
return dropped
`,
);
