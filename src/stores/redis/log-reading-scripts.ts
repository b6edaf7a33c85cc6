import { logScript } from './log-scripts.js';

/** What reads the decision log. Each answer is of one moment, and of bounded size. */

/** Argument: chain. */
export const LAST = logScript('last', 'return {last(ARGV[1]) or false}');

/** Arguments: a lower bound, how many at most. Returns the last record of each chain from there on. */
export const CHAINS = logScript(
  'chains',
  `
local found, from = {}, ARGV[1]
while #found < tonumber(ARGV[2]) do
  local member = redis.call('ZRANGE', records, from, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
  if not member then return found end
  local chain = string.match(member, '^[^ ]*')
  found[#found + 1] = last(chain) or member
  from = '[' .. chain .. '!'
end
return found
`,
);

/** Arguments: a lower bound, how many at most. Returns each record, and its content. */
export const RECORDS = logScript(
  'records',
  `
local found = {}
for _, member in ipairs(redis.call('ZRANGE', records, ARGV[1], '+', 'BYLEX', 'LIMIT', 0, ARGV[2])) do
  found[#found + 1] = member
  found[#found + 1] = redis.call('HGET', contents, string.match(member, '^[^ ]* [^ ]*') or '')
end
return found
`,
);

/** Arguments: bounds. */
export const HEADS = logScript('heads', `return redis.call('ZRANGE', heads, ARGV[1], ARGV[2], 'BYLEX')`);

/**
 * Arguments: bounds of places. Returns of each decision that lists can find: place, id, entry, whether it is withdrawn,
 * and the policies by which it is found.
 */
export const ENTRIES = logScript(
  'entries',
  `
local found = {}
local function add(...) for _, item in ipairs({...}) do found[#found + 1] = item end end
for _, member in ipairs(redis.call('ZRANGE', places, ARGV[1], ARGV[2], 'BYLEX')) do
  local place, id = string.match(member, '^(.*) ([^ ]*)$')
  local entry, text = entryOf(id)
  local isThere = entry and entry[1] == place
  if isThere and redis.call('ZSCORE', outcomes, entry[2] .. ' ' .. entry[3] .. ' ' .. id) == '0' then
    local named = {}
    for _, policy in ipairs(entry[4]) do
      local score = redis.call('ZSCORE', policies, entry[2] .. ' ' .. policy .. ' ' .. entry[3] .. ' ' .. id)
      if score == '0' then named[#named + 1] = policy end
    end
    add(place, id, text, tostring(redis.call('SISMEMBER', withdrawn, id)), table.concat(named, ' '))
  end
end
return found
`,
);

/** Arguments: bounds of places. Returns of each record of a release that can be found by its decision: place, id and kind. */
export const RELEASE_ENTRIES = logScript(
  'release entries',
  `
local found = {}
for _, member in ipairs(redis.call('ZRANGE', releasePlaces, ARGV[1], ARGV[2], 'BYLEX')) do
  local place, id, kind = string.match(member, '^([^ ]* [^ ]*) ([^ ]*) (.*)$')
  if place and redis.call('ZSCORE', releases, id .. ' ' .. place .. ' ' .. kind) == '0' then
    for _, item in ipairs({place, id, kind}) do found[#found + 1] = item end
  end
end
return found
`,
);

/** Returns every tenant that has decisions. */
export const TENANTS = logScript(
  'tenants',
  `
local found, from = {}, '-'
while true do
  local member = redis.call('ZRANGE', outcomes, from, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
  if not member then return found end
  found[#found + 1] = string.match(member, '^[^ ]*')
  from = '[' .. found[#found] .. '!'
end
`,
);

/**
 * Arguments: which index, how many at most, then lower and upper bounds of ranges in it. Returns id, entry and whether it is
 * withdrawn, of the newest of all ranges.
 */
export const LIST = logScript(
  'list',
  `
local index = ARGV[1] == 'policies' and policies or outcomes
local ids, found = {}, {}
for at = 3, #ARGV, 2 do
  for _, member in ipairs(redis.call('ZRANGE', index, ARGV[at + 1], ARGV[at], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[2])) do
    ids[#ids + 1] = string.match(member, '[^ ]*$')
  end
end
table.sort(ids, function(one, other) return one > other end)
for at = 1, math.min(#ids, tonumber(ARGV[2])) do
  local _, text = entryOf(ids[at])
  found[#found + 1] = ids[at]
  found[#found + 1] = text or false
  found[#found + 1] = tostring(redis.call('SISMEMBER', withdrawn, ids[at]))
end
return found
`,
);

/**
 * Argument: id. Returns entry, whether it is withdrawn, record and content, then record and content of each part of its
 * release; nothing where there is no such decision.
 */
export const FIND = logScript(
  'find',
  `
local entry, text = entryOf(ARGV[1])
if not entry then return {} end
local function recordAt(place)
  return redis.call('ZRANGE', records, '[' .. place .. ' ', '(' .. place .. '!', 'BYLEX', 'LIMIT', 0, 1)[1]
end
local place = entry[1]
local record = recordAt(place)
if not record then return {} end
local found = {text, tostring(redis.call('SISMEMBER', withdrawn, ARGV[1])), record, redis.call('HGET', contents, place)}
for _, release in ipairs(releasesOf(ARGV[1], string.match(place, '^[^ ]*'))) do
  local part = recordAt(release.place)
  if part then
    found[#found + 1] = part
    found[#found + 1] = redis.call('HGET', contents, release.place)
  end
end
return found
`,
);

/** Arguments: a lower bound, how many at most. Returns digests of kept objects in their order. */
export const DIGESTS = logScript(
  'digests',
  `return redis.call('ZRANGE', digests, ARGV[1], '+', 'BYLEX', 'LIMIT', 0, ARGV[2])`,
);

/**
 * Arguments: bounds of places. Returns of each decision that rests on kept objects: its place, their digests, and for each of
 * them 1 or 0: whether it is there.
 */
export const OBJECTS_OF = logScript(
  'objects of',
  `
local found = {}
for _, member in ipairs(redis.call('ZRANGE', places, ARGV[1], ARGV[2], 'BYLEX')) do
  local place, id = string.match(member, '^(.*) ([^ ]*)$')
  local named = redis.call('HGET', kept, id or '')
  if named then
    local there = {}
    for object in string.gmatch(named, '%S+') do there[#there + 1] = redis.call('HEXISTS', objects, object) end
    for _, item in ipairs({place, named, table.concat(there)}) do found[#found + 1] = item end
  end
end
return found
`,
);

/** Argument: digest. */
export const OBJECT = logScript('object', `return redis.call('HGET', objects, ARGV[1])`);

/**
 * Arguments: a lower bound of places, what the ids looked for come before, how many chains at most. Returns of each chain
 * its name, and the place of the last record of those that come before, of a decision or of its release, or nothing.
 *
 * Decisions of a chain are in the order of their ids, but for those that were decided at about the same time, and so are
 * releases. So the last one is looked for by halves.
 */
export const PRUNABLE = logScript(
  'prunable',
  `
local function lastBefore(set, chain)
  local first = redis.call('ZLEXCOUNT', set, '-', '(' .. chain .. ' ')
  local low, high = first, redis.call('ZLEXCOUNT', set, '-', '(' .. chain .. '!')
  while low < high do
    local middle = math.floor((low + high) / 2)
    local id = string.match(redis.call('ZRANGE', set, middle, middle)[1], '^[^ ]* [^ ]* ([^ ]*)')
    if id < ARGV[2] then low = middle + 1 else high = middle end
  end
  return low > first and string.match(redis.call('ZRANGE', set, low - 1, low - 1)[1], '^([^ ]* [^ ]*)')
end
local found, from = {}, ARGV[1]
while #found < 2 * tonumber(ARGV[3]) do
  local member = redis.call('ZRANGE', places, from, '+', 'BYLEX', 'LIMIT', 0, 1)[1]
  if not member then return found end
  local chain = string.match(member, '^[^ ]*')
  local decision, release = lastBefore(places, chain), lastBefore(releasePlaces, chain)
  found[#found + 1] = chain
  found[#found + 1] = decision and release and release > decision and release or decision
  from = '[' .. chain .. '!'
end
return found
`,
);

/**
 * Arguments: what is looked at, where to begin, of how many at most. Returns where to go on, nothing at the end, and how many
 * belong to nothing. What belongs together is looked at in one step, whatever is written meanwhile.
 */
export const STRAYS = logScript(
  'strays',
  `
local function has(list, item)
  for _, each in ipairs(list) do if each == item then return true end end
  return false
end
local belongs = {
  places = function(member)
    local place, id = string.match(member, '^(.*) ([^ ]*)$')
    local entry = entryOf(id)
    return entry and entry[1] == place and redis.call('HEXISTS', contents, place) == 1
  end,
  outcomes = function(member)
    local tenant, outcome, id = string.match(member, '^([^ ]*) ([^ ]*) ([^ ]*)$')
    local entry = entryOf(id)
    return entry and entry[2] == tenant and entry[3] == outcome
  end,
  policies = function(member)
    local tenant, policy, outcome, id = string.match(member, '^([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*)$')
    local entry = entryOf(id)
    return entry and entry[2] == tenant and entry[3] == outcome and has(entry[4], policy)
  end,
  heads = function(member)
    return last(string.match(member, '^[^ ]*')) ~= nil
  end,
  releases = function(member)
    local id, place, kind = string.match(member, '^([^ ]*) ([^ ]* [^ ]*) (.*)$')
    if not id or redis.call('HEXISTS', contents, place) == 0 then return false end
    return redis.call('ZSCORE', releasePlaces, place .. ' ' .. id .. ' ' .. kind) == '0'
  end,
  releasePlaces = function(member)
    local place, id, kind = string.match(member, '^([^ ]* [^ ]*) ([^ ]*) (.*)$')
    return id and redis.call('ZSCORE', releases, id .. ' ' .. place .. ' ' .. kind) == '0'
  end,
  digests = function(member)
    return tonumber(redis.call('HGET', uses, member) or '0') > 0
  end,
}
local sorted = {
  places = places, outcomes = outcomes, policies = policies, heads = heads, digests = digests,
  releases = releases, releasePlaces = releasePlaces,
}
local strays = 0
if ARGV[1] == 'kept' then
  local page = redis.call('HSCAN', kept, ARGV[2], 'COUNT', ARGV[3])
  for at = 1, #page[2], 2 do
    if redis.call('HEXISTS', decisions, page[2][at]) == 0 then strays = strays + 1 end
  end
  return {page[1] ~= '0' and page[1], tostring(strays)}
end
if ARGV[1] == 'objects' then
  local unlisted = redis.call('HLEN', objects) - redis.call('ZCARD', digests)
  return {false, tostring(math.max(0, unlisted))}
end
if ARGV[1] == 'decisions' then
  local page = redis.call('HSCAN', decisions, ARGV[2], 'COUNT', ARGV[3])
  for at = 1, #page[2], 2 do
    local entry = entryOf(page[2][at])
    if not entry or redis.call('ZSCORE', places, entry[1] .. ' ' .. page[2][at]) ~= '0' then strays = strays + 1 end
  end
  return {page[1] ~= '0' and page[1], tostring(strays)}
end
local members = redis.call('ZRANGE', sorted[ARGV[1]], ARGV[2], '+', 'BYLEX', 'LIMIT', 0, ARGV[3])
for _, member in ipairs(members) do if not belongs[ARGV[1]](member) then strays = strays + 1 end end
return {#members == tonumber(ARGV[3]) and '(' .. members[#members], tostring(strays)}
`,
);
