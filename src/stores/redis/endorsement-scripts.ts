import type { RedisScript } from './redis-connection.js';

/**
 * Scripts of what replicas share of their endorsements. Times are the server's, in milliseconds. Commands are those that challenges
 * and decisions need too, so that a user of the server needs no further permission.
 *
 * Entries are in a hash, by id. Two sorted sets say when each ends, and how long it is: the hash has bounds in both.
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** The entry of an id, unless it is not wanted. The first bytes of an entry tell it from others. */
const ENTRY = `
local function entryOf(id, mode, unwanted)
  local ends = redis.call('ZSCORE', KEYS[2], id)
  if mode == 'any' or not ends or tonumber(ends) <= now then return nil end
  local entry = redis.call('HGET', KEYS[1], id)
  if not entry or (mode == 'one' and string.sub(entry, 1, string.len(unwanted)) == unwanted) then return nil end
  return entry
end
`;

/**
 * Keys: entries, ends, leases. Arguments: id, lease in milliseconds, whether there is an entry that is not wanted, its first bytes.
 */
export const ASK: RedisScript = {
  name: 'ask',
  text: `${NOW}${ENTRY}
local entry = entryOf(ARGV[1], ARGV[3], ARGV[4])
if entry then return {'entry', entry} end
local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)
if #ended > 0 then redis.call('ZREM', KEYS[3], unpack(ended)) end
local held = redis.call('ZSCORE', KEYS[3], ARGV[1])
local token = now + ARGV[2]
if held and tonumber(held) > now and tonumber(held) <= token then return {'wait', '0', '0'} end
redis.call('ZADD', KEYS[3], token, ARGV[1])
return {'lead', string.format('%.0f', token)}
`,
};

/**
 * A place in the lines is \`<principal> <id>\`, and there as long as somebody asks for it. Who holds a turn is written so too. All that a
 * replica waits for is asked at once: each run walks along all lines.
 *
 * The next turn is of the principal with the fewest turns under way, then of the one that had the last one longest ago, then of the
 * place that was taken first. One principal never has all turns, where there is more than one. After a 429 there is one, and a pause
 * after it. Where too many wait, the newest place of the longest line goes.
 *
 * A pause or lease that lasts longer than this service ever makes one is somebody else's doing, and cut.
 *
 * Keys: entries, ends, places, alive, turns, last, pause, throttled, state, askers. Arguments: lease in milliseconds, turns at once, places,
 * how long a place lasts, longest pause, who asks; then for each question id, whether there is an entry that is not wanted, its first
 * bytes, number of principals, principals. One answer for each question, in their order.
 */
export const ASK_IN_TURN: RedisScript = {
  name: 'ask in turn',
  text: `${NOW}${ENTRY}
local leaseMs, placesAtMost, longestPause = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[5])
local asker = ARGV[6]
local function partsOf(place) return string.match(place, '^(%x+) (%x+)$') end

local running, fetching, under = {}, {}, 0
for _, turn in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  local principal, id = partsOf(turn)
  local ends = tonumber(redis.call('ZSCORE', KEYS[5], turn))
  if not principal or ends <= now or ends > now + leaseMs then
    redis.call('ZREM', KEYS[5], turn)
  else
    fetching[id] = true
    running[principal] = (running[principal] or 0) + 1
    under = under + 1
  end
end

local lines, count = {}, 0
local function remove(place)
  redis.call('ZREM', KEYS[3], place)
  redis.call('ZREM', KEYS[4], place)
  redis.call('HDEL', KEYS[10], place)
end
for _, place in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 200)) do remove(place) end
for _, place in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local principal, id = partsOf(place)
  if not principal then
    remove(place)
  else
    lines[principal] = lines[principal] or {}
    table.insert(lines[principal], {principal = principal, id = id, place = place})
    count = count + 1
  end
end

local function makeRoom(principal)
  if count < placesAtMost then return true end
  local longest, most = nil, #(lines[principal] or {}) + 1
  for _, line in pairs(lines) do
    if #line > most then longest, most = line, #line end
  end
  if not longest then return false end
  remove(table.remove(longest).place)
  count = count - 1
  return true
end

local function stand(principal, id)
  local place = principal .. ' ' .. id
  if not redis.call('ZSCORE', KEYS[3], place) then
    if not makeRoom(principal) then return false end
    redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[9], 'places', 1), place)
    lines[principal] = lines[principal] or {}
    table.insert(lines[principal], {principal = principal, id = id, place = place})
    count = count + 1
  end
  redis.call('ZADD', KEYS[4], now + ARGV[4], place)
  local before = redis.call('HGET', KEYS[10], place)
  if not before then redis.call('HSET', KEYS[10], place, asker) end
  if before and before ~= asker then redis.call('HSET', KEYS[10], place, 'many') end
  return true
end

local answers, mine = {}, {}
local at = 7
while at <= #ARGV do
  local id, principals = ARGV[at], tonumber(ARGV[at + 3])
  local entry = entryOf(id, ARGV[at + 1], ARGV[at + 2])
  local answer = #answers + 1
  if entry then
    answers[answer] = {'entry', entry}
  elseif fetching[id] then
    answers[answer] = {'wait', '0', '0'}
  else
    local stands = false
    for index = at + 4, at + 3 + principals do stands = stand(ARGV[index], id) or stands end
    answers[answer] = stands and {'wait', '0', '0'} or {'busy'}
    if stands then mine[id] = mine[id] or answer end
  end
  at = at + 4 + principals
end

local pause = redis.call('PTTL', KEYS[7])
if pause == -1 or pause > longestPause then
  redis.call('SET', KEYS[7], '1', 'PX', ARGV[5])
  pause = longestPause
end
pause = math.max(pause, 0)
local most = tonumber(ARGV[2])
if redis.call('EXISTS', KEYS[8]) == 1 then most = 1 end

local function isBefore(a, b)
  if a.running ~= b.running then return a.running < b.running end
  if a.last ~= b.last then return a.last < b.last end
  return a.since < b.since
end
local function nextPlace()
  local best = nil
  for principal, line in pairs(lines) do
    local mine = running[principal] or 0
    if line[1] and (most == 1 or mine < most - 1) then
      local last = tonumber(redis.call('ZSCORE', KEYS[6], principal) or '0')
      local since = tonumber(redis.call('ZSCORE', KEYS[3], line[1].place))
      local head = {place = line[1], running = mine, last = last, since = since}
      if not best or isBefore(head, best) then best = head end
    end
  end
  return best and best.place
end
local function lead(place)
  local token = now + leaseMs
  redis.call('ZADD', KEYS[5], token, place.place)
  redis.call('ZADD', KEYS[6], redis.call('HINCRBY', KEYS[9], 'turns', 1), place.principal)
  if redis.call('ZCARD', KEYS[6]) > 1000 then redis.call('ZREM', KEYS[6], redis.call('ZRANGE', KEYS[6], 0, 0)[1]) end
  for _, line in pairs(lines) do
    for index = #line, 1, -1 do
      if line[index].id == place.id then remove(table.remove(line, index).place) end
    end
  end
  running[place.principal] = (running[place.principal] or 0) + 1
  under = under + 1
  answers[mine[place.id]] = {'lead', string.format('%.0f', token)}
  mine[place.id] = nil
end
while pause == 0 and under < most do
  local best = nextPlace()
  if not best or not mine[best.id] then break end
  lead(best)
end

local taken, ahead = 0, {}
for _, line in pairs(lines) do
  if #line > 0 then taken = taken + 1 end
  for index, place in ipairs(line) do
    ahead[place.id] = math.min(ahead[place.id] or index - 1, index - 1)
  end
end
for id, answer in pairs(mine) do answers[answer][3] = string.format('%.0f', (ahead[id] or 0) * taken) end
for _, answer in ipairs(answers) do
  if answer[1] == 'wait' then answer[2] = string.format('%.0f', pause) end
end
return answers
`,
};

/**
 * Keeps an entry. What ends soonest makes room, so a few at a time; an entry for which that is not enough is not kept.
 *
 * Keys: entries, ends, lengths, state. Arguments: id, bytes, lifetime in milliseconds, most entries, most bytes of all.
 */
export const KEEP: RedisScript = {
  name: 'keep',
  text: `${NOW}
local function drop(id)
  local length = redis.call('ZSCORE', KEYS[3], id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
  if length then redis.call('HINCRBY', KEYS[4], 'bytes', '-' .. length) end
end
drop(ARGV[1])
local length = string.len(ARGV[2])
local function isRoom()
  return redis.call('HLEN', KEYS[1]) < tonumber(ARGV[4])
    and tonumber(redis.call('HGET', KEYS[4], 'bytes') or '0') + length <= tonumber(ARGV[5])
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do drop(id) end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, 99)) do
  if isRoom() then break end
  drop(id)
end
if redis.call('HLEN', KEYS[1]) == 0 then redis.call('HSET', KEYS[4], 'bytes', 0) end
if not isRoom() then return {'full'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], length, ARGV[1])
redis.call('HINCRBY', KEYS[4], 'bytes', length)
return {'kept'}
`,
};

/** Keys: leases. Arguments: id, token. A lease that somebody else has by now stays. */
export const END: RedisScript = {
  name: 'end',
  text: `
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {'ended'}
`,
};

/**
 * Keys: turns, pause, throttled. Arguments: id, token, pause that the server asked for or 0, pause between turns once it has, how long it
 * counts as a server that does.
 */
export const END_TURN: RedisScript = {
  name: 'end turn',
  text: `
for _, turn in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local isOf = string.match(turn, ' (%x+)$') == ARGV[1]
  if isOf and tonumber(redis.call('ZSCORE', KEYS[1], turn)) == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], turn) end
end
local pause = tonumber(ARGV[3])
if pause > 0 then redis.call('SET', KEYS[3], '1', 'PX', ARGV[5]) end
if redis.call('EXISTS', KEYS[3]) == 1 then pause = math.max(pause, tonumber(ARGV[4])) end
if pause > redis.call('PTTL', KEYS[2]) and pause > 0 then redis.call('SET', KEYS[2], '1', 'PX', string.format('%.0f', pause)) end
return {'ended'}
`,
};

/**
 * A place that several replicas have asked for stays: it ends by itself once none of them does.
 *
 * Keys: places, alive, askers. Arguments: who asks, places.
 */
export const WITHDRAW: RedisScript = {
  name: 'withdraw',
  text: `
for index = 2, #ARGV do
  if redis.call('HGET', KEYS[3], ARGV[index]) == ARGV[1] then
    redis.call('ZREM', KEYS[1], ARGV[index])
    redis.call('ZREM', KEYS[2], ARGV[index])
    redis.call('HDEL', KEYS[3], ARGV[index])
  end
end
return {'withdrawn'}
`,
};
