/**
 * What we ask of Redis that takes more than one command, in Lua, so that it happens at once or not at all. The first
 * argument of each is when it was sent, in milliseconds of Redis's clock as far as it is known. For Redis 6.2 and later.
 *
 * Values are read as if anybody might have written them: what is not what we write counts as absent.
 */

/** Part of every key: changes with the form of what is stored, so that releases that differ do not meet. */
export const VALUES_VERSION = 'v1';

/** The time, and guards. `own` drops a key of another type than ours; `int` is nil for what is no whole number. */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function own(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then redis.call('DEL', key) end
end
local function int(text)
  return text and #text < 17 and string.match(text, '^%d+$') and tonumber(text) or nil
end
`;

/** A server that stood still for a while is then given commands that nobody waits for any more. */
const IN_TIME = `${COMMON}
if math.abs(now - tonumber(ARGV[1])) > 2000 then return redis.error_reply('ERR sent too long ago') end
`;

/** The line that a page's value begins with: see `pageValue.ts`. Its order is in microseconds, and never to come. */
const HEAD = `
local function head(key)
  own(key, 'string')
  local text = redis.call('GETRANGE', key, 0, 100)
  local order, generation, freshUntil = string.match(text, '^(%d+) (%d+) (%d+) ')
  if not int(order) or int(order) > (now + 5000) * 1000 then return nil end
  return { order = int(order), generation = generation, freshUntil = int(freshUntil) or 0 }
end
`;

/** Nothing can be added to a stream whose last id lies far ahead. */
const OWN_CHANGES = `
local function ownChanges(key)
  own(key, 'stream')
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if last and tonumber(string.match(last[1], '^%d+')) > now + 5000 then redis.call('DEL', key) end
end
`;

/** KEYS: replicas. ARGV: sent, replica, for how many ms one counts. Returns seconds, microseconds, replicas, and 1
 * when this one was not among them. */
const GREET = `${COMMON}
own(KEYS[1], 'zset')
local isNew = redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[3], '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[3] * 5)
return { time[1], time[2], redis.call('ZCARD', KEYS[1]), isNew }
`;

/**
 * Asks for the right to fetch a page. KEYS: page, lock, failure. ARGV: sent, order of the copy at hand, token, ms the
 * lock lives, most ms any lock does, 1 when a page has been waited for, 1 when failures are not minded. Returns `page`
 * and a newer value that is fresh, or has been waited for; `failure` and what it failed with a moment ago; `locked`
 * when somebody else fetches it, and the order of the page that is there; `granted`.
 */
const CLAIM = `${IN_TIME}${HEAD}
local found = head(KEYS[1])
if found and found.order > tonumber(ARGV[2]) and (found.freshUntil > now or ARGV[6] == '1') then
  return { 'page', redis.call('GET', KEYS[1]) }
end
own(KEYS[3], 'hash')
local failure = redis.call('HMGET', KEYS[3], 'until', 'error')
local failedUntil = failure[2] and int(failure[1]) or 0
if ARGV[7] == '1' or failedUntil > now + 600000 then redis.call('DEL', KEYS[3])
elseif failedUntil > now then return { 'failure', failure[2] } end
own(KEYS[2], 'string')
local left = redis.call('PTTL', KEYS[2])
if left == -1 or left > tonumber(ARGV[5]) then redis.call('DEL', KEYS[2]) end
if redis.call('SET', KEYS[2], ARGV[3], 'NX', 'PX', ARGV[4]) then return { 'granted' } end
return { 'locked', found and string.format('%.0f', found.order) or '0' }
`;

/** Keeps a lock. KEYS: lock. ARGV: sent, token, ms. Returns whether it was still held. */
const RENEW = `${IN_TIME}
own(KEYS[1], 'string')
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return { 0 } end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 1 }
`;

/**
 * Lists a page under each of its videos. A video's list is a sorted set of pages by their order; what has expired for
 * certain goes. Where a page has taken another one's place, the videos that it has no more still list it, by the old
 * order: `find` sees that, and drops it.
 */
const LIST_VIDEOS = `
local function listVideos(first, order, pageId, keep, ageMs)
  for i = first, #KEYS do
    own(KEYS[i], 'zset')
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', (now - ageMs - 60000) * 1000)
    redis.call('ZADD', KEYS[i], order, pageId)
    if redis.call('PTTL', KEYS[i]) < keep then redis.call('PEXPIRE', KEYS[i], keep) end
  end
end
`;

/**
 * Which pages hold newer copies of videos. KEYS: what the keys of pages begin with, then the list of each video. ARGV:
 * sent, for each video the order of the copy at hand. Returns for each the page that holds the newest, or nothing.
 */
const FIND = `${IN_TIME}${HEAD}
local reply = {}
for i = 2, #KEYS do
  own(KEYS[i], 'zset')
  local listed = redis.call('ZREVRANGEBYSCORE', KEYS[i], '+inf', '(' .. ARGV[i], 'WITHSCORES')
  reply[i - 1] = ''
  for j = 1, #listed, 2 do
    local found = head(KEYS[1] .. ':' .. listed[j])
    if found and found.order == tonumber(listed[j + 1]) then
      reply[i - 1] = listed[j]
      break
    end
    redis.call('ZREM', KEYS[i], listed[j])
  end
end
return reply
`;

/**
 * Stores a page and tells the others, unless a newer copy is there. KEYS: page, generation of its chart, lock, failure,
 * changes, then the list of each of its videos. ARGV: sent, order, end of its freshness, ms it may be stale, greatest ms
 * it may be fresh, token, page's id, replica, body, and for a page that is not new the generation that it belongs to and 1
 * when it took the place of a copy of that; a new one joins the generation that is fresh, or begins one. Returns `newer`
 * and, unless it is the same, the value that is there; `refused` when upstream does not accept the page any more; or
 * `stored`, generation, end of freshness, 1 when it took the place of a copy of the same generation.
 */
const STORE = `${IN_TIME}${HEAD}${OWN_CHANGES}${LIST_VIDEOS}
own(KEYS[3], 'string')
if redis.call('GET', KEYS[3]) == ARGV[6] then redis.call('DEL', KEYS[3]) end
local found = head(KEYS[1])
if found and found.order == tonumber(ARGV[2]) then
  listVideos(6, ARGV[2], ARGV[7], math.max(1, redis.call('PTTL', KEYS[1])), ARGV[4] + ARGV[5])
  return { 'newer' }
end
if found and found.order > tonumber(ARGV[2]) then return { 'newer', redis.call('GET', KEYS[1]) } end
own(KEYS[4], 'hash')
if ARGV[10] ~= '' and redis.call('HGET', KEYS[4], 'isRefused') == '1' then return { 'refused' } end
own(KEYS[2], 'hash')
local current = redis.call('HMGET', KEYS[2], 'generation', 'freshUntil')
local freshUntil = int(current[1]) and int(current[2])
local isFresh = freshUntil and freshUntil > now and freshUntil <= now + ARGV[5]
local generation, lives = ARGV[10], ARGV[3]
if generation == '' and isFresh then
  generation, lives = current[1], current[2]
elseif generation == '' then
  generation = ARGV[2]
end
local keep = tonumber(lives) + tonumber(ARGV[4]) - now
if keep <= 0 then return { 'stored', generation, lives, 0 } end
local replaces = (found and found.generation == generation or ARGV[11] == '1') and 1 or 0
local line = table.concat({ ARGV[2], generation, lives, replaces, ARGV[7] }, ' ')
redis.call('SET', KEYS[1], line .. '\\n' .. ARGV[9], 'PX', keep)
listVideos(6, ARGV[2], ARGV[7], keep, ARGV[4] + ARGV[5])
if tonumber(lives) > now and not (isFresh and int(current[1]) >= tonumber(generation)) then
  redis.call('HSET', KEYS[2], 'generation', generation, 'freshUntil', lives)
  redis.call('PEXPIRE', KEYS[2], keep)
end
if ARGV[10] == '' then redis.call('DEL', KEYS[4]) end
ownChanges(KEYS[5])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 4096, '*', 'page', ARGV[7], 'by', ARGV[8])
redis.call('PEXPIRE', KEYS[5], 3600000)
return { 'stored', generation, lives, replaces }
`;

/**
 * Gives up a lock without a page. KEYS: lock, failure, page. ARGV: sent, token, error, ms for which the first failure
 * in a row is remembered (0: not at all), most ms for any, 1 when upstream does not accept the page: then it is dropped.
 * Returns whether the lock was still held.
 */
const GIVE_UP = `${IN_TIME}
own(KEYS[1], 'string')
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return { 0 } end
redis.call('DEL', KEYS[1])
if tonumber(ARGV[4]) == 0 then return { 1 } end
own(KEYS[2], 'hash')
local count = math.min(int(redis.call('HGET', KEYS[2], 'count')) or 0, 30)
local ms = math.min(ARGV[4] * 2 ^ count, tonumber(ARGV[5]))
redis.call('HSET', KEYS[2], 'count', count + 1, 'until', string.format('%.0f', now + ms), 'error', ARGV[3], 'isRefused', ARGV[6])
if ARGV[6] == '1' then redis.call('DEL', KEYS[3]) end
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', ms * 2 + 60000))
return { 1 }
`;

/**
 * Which pages were stored. KEYS: changes. ARGV: sent, id of the last change seen, or nothing. Returns the id of the
 * last one and, for each since (200 at most), page and replica.
 */
const CHANGES = `${IN_TIME}${OWN_CHANGES}
ownChanges(KEYS[1])
if ARGV[2] == '' or tonumber(string.match(ARGV[2], '^%d+')) > now + 5000 then
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return { last and last[1] or '0-0' }
end
local reply = { ARGV[2] }
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', 200)) do
  reply[1] = entry[1]
  reply[#reply + 1] = entry[2][2] or ''
  reply[#reply + 1] = entry[2][4] or ''
end
return reply
`;

/**
 * Tells what this replica has counted of clients. KEYS: one for each. ARGV: sent, replica, ms for which a count is
 * believed, counts. Returns for each what the other replicas have told.
 */
const COUNT = `${IN_TIME}
local reply = {}
for i, key in ipairs(KEYS) do
  own(key, 'hash')
  local others = 0
  local told = redis.call('HGETALL', key)
  for j = 1, #told, 2 do
    local count, at = string.match(told[j + 1], '^(%d+) (%d+)$')
    local isFresh = int(count) and int(at) and math.abs(now - int(at)) < tonumber(ARGV[3])
    if not isFresh then redis.call('HDEL', key, told[j])
    elseif told[j] ~= ARGV[2] then others = others + int(count) end
  end
  redis.call('HSET', key, ARGV[2], ARGV[3 + i] .. ' ' .. string.format('%.0f', now))
  redis.call('PEXPIRE', key, ARGV[3])
  reply[i] = others
end
return reply
`;

/** KEYS, of what may be spent in common, and what they hold. */
const ALLOWANCE = `
local CIRCUIT, CALLS, BUDGET = KEYS[1], KEYS[2], KEYS[3]
own(CIRCUIT, 'hash')
own(CALLS, 'zset')
own(BUDGET, 'hash')
`;

/**
 * The day's spending. After Redis has lost it, or at the very first, nothing is spent for a while, in which each
 * replica says what it knows (`known`, of `knownDay`); so too when one knows of more than is written. A day turns when
 * Redis's clock and the replica's (`ownDay`) both say so, and is not brought back by a clock that is set back.
 */
const SPENDING = `
local function spending(holdMs, ownDay, knownDay, known, isFirst)
  local today = math.floor(now / 86400000)
  local entry = redis.call('HMGET', BUDGET, 'day', 'spent', 'openAt')
  local day, spent, openAt = int(entry[1]), int(entry[2]), int(entry[3])
  local isKnown = day and spent and openAt and openAt <= now + holdMs
  if not isKnown or day > math.max(today, ownDay) + 1 then
    day, spent, openAt = today, 0, now + holdMs
  end
  if day < today and day < ownDay then day, spent = math.min(today, ownDay), 0 end
  if known and knownDay >= day and knownDay <= day + 1 and (isFirst or openAt > now) then
    if known > spent then openAt = now + holdMs end
    day, spent = knownDay, math.max(spent, known)
  end
  redis.call('HSET', BUDGET, 'day', day, 'spent', spent, 'openAt', openAt)
  redis.call('PEXPIRE', BUDGET, 172800000)
  return day, spent, openAt
end
`;

/**
 * Takes the right to one call, of everything at once. KEYS: circuit, calls, budget. ARGV: sent, token, calls a
 * second, ms a call takes at most, ms that a call counts after its answer, credits it costs, credits a day (or
 * nothing), ms to hold an unknown budget, the replica's day. Returns `granted`, day, spent; `wait` and ms; `held` and
 * ms while the budget is unknown; `spent` and ms until the day turns; `open`, the error that holds calls back, and for how many ms.
 */
const RESERVE = `${IN_TIME}${ALLOWANCE}${SPENDING}
local circuit = redis.call('HMGET', CIRCUIT, 'until', 'error', 'probeUntil')
local openUntil = circuit[2] and int(circuit[1])
if openUntil and openUntil > now + 600000 then openUntil = nil end
if openUntil and now < openUntil then return { 'open', circuit[2], openUntil - now } end
local probeUntil = int(circuit[3])
if openUntil and probeUntil and now < probeUntil and probeUntil < now + 600000 then return { 'wait', 50 } end

local day, spent = 0, 0
if ARGV[7] ~= '' then
  local openAt
  day, spent, openAt = spending(tonumber(ARGV[8]), tonumber(ARGV[9]))
  if openAt > now then return { 'held', openAt - now } end
  if spent + ARGV[6] > tonumber(ARGV[7]) then return { 'spent', math.max(1, (day + 1) * 86400000 - now) } end
end

redis.call('ZREMRANGEBYSCORE', CALLS, '-inf', now)
redis.call('ZREMRANGEBYSCORE', CALLS, now + 700000, '+inf')
if redis.call('ZCARD', CALLS) >= tonumber(ARGV[3]) then
  return { 'wait', math.max(1, redis.call('ZRANGE', CALLS, 0, 0, 'WITHSCORES')[2] - now) }
end

redis.call('ZADD', CALLS, now + ARGV[4] + ARGV[5], ARGV[2])
redis.call('PEXPIRE', CALLS, 700000)
if openUntil then redis.call('HSET', CIRCUIT, 'probe', ARGV[2], 'probeUntil', now + ARGV[4] + 1000) end
if ARGV[7] ~= '' then
  spent = spent + ARGV[6]
  redis.call('HSET', BUDGET, 'spent', spent)
end
return { 'granted', day, spent }
`;

/**
 * Tells what became of a call. KEYS: circuit, calls, budget. ARGV: sent, token, verdict, ms that it counts still,
 * error, ms for which that holds all calls back (of `sent`: that the call may take), failures in a row that do so too, credits to give back, their day.
 * Verdicts: `unsent`, `sent`, `answered`, `refused`, `failed`. Returns `opened` or `closed` when it changed that.
 */
const REPORT = `${IN_TIME}${ALLOWANCE}
local isProbe = redis.call('HGET', CIRCUIT, 'probe') == ARGV[2]
local function open()
  local found = redis.call('HMGET', CIRCUIT, 'until', 'error')
  local openUntil = found[2] and int(found[1]) or 0
  if openUntil > now + ARGV[6] and openUntil < now + 600000 then return {} end
  redis.call('HDEL', CIRCUIT, 'probe', 'probeUntil')
  redis.call('HSET', CIRCUIT, 'until', now + ARGV[6], 'error', ARGV[5])
  redis.call('PEXPIRE', CIRCUIT, ARGV[6] + 600000)
  return openUntil > now and found[2] == ARGV[5] and {} or { 'opened' }
end

if ARGV[3] == 'unsent' then
  redis.call('ZREM', CALLS, ARGV[2])
  if isProbe then redis.call('HDEL', CIRCUIT, 'probe', 'probeUntil') end
  local entry = redis.call('HMGET', BUDGET, 'day', 'spent')
  if tonumber(ARGV[8]) > 0 and entry[1] == ARGV[9] and (int(entry[2]) or 0) >= tonumber(ARGV[8]) then
    redis.call('HINCRBY', BUDGET, 'spent', -ARGV[8])
  end
  return {}
end
if ARGV[3] == 'sent' then
  redis.call('ZADD', CALLS, 'XX', now + ARGV[6] + ARGV[4], ARGV[2])
  if isProbe then redis.call('HSET', CIRCUIT, 'probeUntil', now + ARGV[6] + 1000) end
  return {}
end
redis.call('ZADD', CALLS, 'XX', now + ARGV[4], ARGV[2])
if ARGV[3] == 'refused' then return open() end
if ARGV[3] == 'failed' then
  local failures = (int(redis.call('HGET', CIRCUIT, 'failures')) or 0) + 1
  redis.call('HSET', CIRCUIT, 'failures', failures)
  redis.call('PEXPIRE', CIRCUIT, 600000)
  local isOpen = redis.call('HEXISTS', CIRCUIT, 'until') == 1
  if isProbe or (failures >= tonumber(ARGV[7]) and not isOpen) then return open() end
  return {}
end
if isProbe then
  redis.call('DEL', CIRCUIT)
  return { 'closed' }
end
redis.call('HDEL', CIRCUIT, 'failures')
return {}
`;

/**
 * Compares what is known. KEYS: circuit, calls, budget. ARGV: sent, 1 when there is a budget, day, credits that this
 * replica knows of (-1: of none), 1 when it had lost touch, ms to hold an unknown budget, the replica's day. Returns
 * day, spent, the error that holds calls back, or nothing, and for how many ms: 0 when a probe is due.
 */
const COMPARE = `${IN_TIME}${ALLOWANCE}${SPENDING}
local day, spent = 0, 0
if ARGV[2] == '1' then
  day, spent = spending(tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1')
end
local circuit = redis.call('HMGET', CIRCUIT, 'until', 'error')
local openUntil = circuit[2] and int(circuit[1]) or 0
if openUntil == 0 or openUntil > now + 600000 then return { day, spent, '', 0 } end
return { day, spent, circuit[2], math.max(0, openUntil - now) }
`;

/** Names a script. */
export type ScriptName = keyof typeof SCRIPTS;

/** The scripts, as ioredis wants them. */
export const SCRIPTS = {
  greet: { lua: GREET },
  claim: { lua: CLAIM },
  renew: { lua: RENEW },
  store: { lua: STORE },
  giveUp: { lua: GIVE_UP },
  find: { lua: FIND },
  changes: { lua: CHANGES },
  reserve: { lua: RESERVE },
  report: { lua: REPORT },
  compare: { lua: COMPARE },
  count: { lua: COUNT },
} as const;
