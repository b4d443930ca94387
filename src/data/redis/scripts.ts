/**
 * Lua scripts, for what must be atomic and takes more than one command. The first argument of each is when it was sent,
 * in milliseconds of Redis's clock as far as it is known. For Redis 6.2 and later.
 *
 * Values are not trusted: anything that these scripts would not write counts as absent.
 */

/** Part of every key. Changes with the format of the values, so that different releases do not read each other's. */
export const VALUES_VERSION = 'v1';

/** Redis's time, and guards against values that these scripts would not write. */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function deleteIfWrongType(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then redis.call('DEL', key) end
end
local function toInteger(text)
  return text and #text < 17 and string.match(text, '^%d+$') and tonumber(text) or nil
end
`;

/** Redis may have been frozen: nobody waits for these commands any more. */
const REJECT_LATE = `${COMMON}
if math.abs(now - tonumber(ARGV[1])) > 2000 then return redis.error_reply('ERR sent too long ago') end
`;

/**
 * Reads the first line of a page's value: see `pageValue.ts`. A sequence number, in microseconds, that is more than 5
 * seconds ahead of Redis's clock was not written by these scripts: the page counts as absent.
 */
const READ_HEADER = `
local function readHeader(key)
  deleteIfWrongType(key, 'string')
  local text = redis.call('GETRANGE', key, 0, 100)
  local sequence, generation, freshUntil = string.match(text, '^(%d+) (%d+) (%d+) ')
  if not toInteger(sequence) or toInteger(sequence) > (now + 5000) * 1000 then return nil end
  return { sequence = toInteger(sequence), generation = generation, freshUntil = toInteger(freshUntil) or 0 }
end
`;

/** Drops the stream of changes when its last id lies far ahead: Redis would reject every further entry. */
const REPAIR_CHANGES = `
local function repairChanges(key)
  deleteIfWrongType(key, 'stream')
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if last and tonumber(string.match(last[1], '^%d+')) > now + 5000 then redis.call('DEL', key) end
end
`;

/**
 * Registers a replica. KEYS: replicas. ARGV: sent, replica, ms after which a replica without a heartbeat is dropped.
 * Returns the time in seconds and microseconds, the number of replicas, and 1 when this one was not registered.
 */
const HEARTBEAT = `${COMMON}
deleteIfWrongType(KEYS[1], 'zset')
local isNew = redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[3], '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[3] * 5)
return { time[1], time[2], redis.call('ZCARD', KEYS[1]), isNew }
`;

/**
 * Asks for the right to fetch a page. KEYS: page, lock, failure. ARGV: sent, sequence of the cached copy, token, ms
 * until the lock expires, most ms until any lock expires, 1 when the caller has waited for the page, 1 to ignore a
 * failure. Returns
 *
 * - `page` and its value: it is newer than the copy, and fresh or waited for;
 * - `failure` and the error: fetching it failed a moment ago;
 * - `locked` and the sequence of the stored page, else 0: another replica is fetching it;
 * - `granted`: the lock is the caller's.
 */
const CLAIM_PAGE = `${REJECT_LATE}${READ_HEADER}
local found = readHeader(KEYS[1])
if found and found.sequence > tonumber(ARGV[2]) and (found.freshUntil > now or ARGV[6] == '1') then
  return { 'page', redis.call('GET', KEYS[1]) }
end
deleteIfWrongType(KEYS[3], 'hash')
local failure = redis.call('HMGET', KEYS[3], 'until', 'error')
local failedUntil = failure[2] and toInteger(failure[1]) or 0
if ARGV[7] == '1' or failedUntil > now + 600000 then redis.call('DEL', KEYS[3])
elseif failedUntil > now then return { 'failure', failure[2] } end
deleteIfWrongType(KEYS[2], 'string')
local left = redis.call('PTTL', KEYS[2])
if left == -1 or left > tonumber(ARGV[5]) then redis.call('DEL', KEYS[2]) end
if redis.call('SET', KEYS[2], ARGV[3], 'NX', 'PX', ARGV[4]) then return { 'granted' } end
return { 'locked', found and string.format('%.0f', found.sequence) or '0' }
`;

/** Extends a lock. KEYS: lock. ARGV: sent, token, ms. Returns 1 when the lock was still the caller's, else 0. */
const RENEW_LOCK = `${REJECT_LATE}
deleteIfWrongType(KEYS[1], 'string')
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return { 0 } end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 1 }
`;

/**
 * Adds a page to the list of each of its videos: a sorted set of page ids by their sequence, from which expired pages
 * are dropped. A page that was replaced stays, by its old sequence, in the lists of videos that it has no more:
 * FIND_VIDEOS drops those entries.
 */
const LIST_VIDEOS = `
local function listVideos(first, sequence, pageId, ttlMs, maxAgeMs)
  for i = first, #KEYS do
    deleteIfWrongType(KEYS[i], 'zset')
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', (now - maxAgeMs - 60000) * 1000)
    redis.call('ZADD', KEYS[i], sequence, pageId)
    if redis.call('PTTL', KEYS[i]) < ttlMs then redis.call('PEXPIRE', KEYS[i], ttlMs) end
  end
end
`;

/**
 * Finds the pages with newer copies of videos. KEYS: prefix of the keys of pages, then the list of each video. ARGV:
 * sent, for each video the sequence of the cached copy. Returns for each video the page with its newest copy, or an
 * empty text.
 */
const FIND_VIDEOS = `${REJECT_LATE}${READ_HEADER}
local reply = {}
for i = 2, #KEYS do
  deleteIfWrongType(KEYS[i], 'zset')
  local listed = redis.call('ZREVRANGEBYSCORE', KEYS[i], '+inf', '(' .. ARGV[i], 'WITHSCORES')
  reply[i - 1] = ''
  for j = 1, #listed, 2 do
    local found = readHeader(KEYS[1] .. ':' .. listed[j])
    if found and found.sequence == tonumber(listed[j + 1]) then
      reply[i - 1] = listed[j]
      break
    end
    redis.call('ZREM', KEYS[i], listed[j])
  end
end
return reply
`;

/**
 * Stores a page and announces it, unless a newer copy is stored. KEYS: page, generation of its chart, lock, failure,
 * changes, then the list of each of its videos. ARGV: sent, sequence, end of its time to live, ms that it may be served
 * stale, greatest time to live in ms, token, page id, replica, body. For a page that is not new also its generation,
 * and 1 when it replaced a copy of that generation; a new page joins the fresh generation, or begins one. Returns
 *
 * - `newer` and, unless it is the same copy, the stored value;
 * - `refused`: upstream does not accept requests for the page any more;
 * - `stored`, its generation, the end of its time to live, 1 when it replaced a copy of the same generation.
 */
const STORE_SHARED_PAGE = `${REJECT_LATE}${READ_HEADER}${REPAIR_CHANGES}${LIST_VIDEOS}
deleteIfWrongType(KEYS[3], 'string')
if redis.call('GET', KEYS[3]) == ARGV[6] then redis.call('DEL', KEYS[3]) end
local found = readHeader(KEYS[1])
if found and found.sequence == tonumber(ARGV[2]) then
  listVideos(6, ARGV[2], ARGV[7], math.max(1, redis.call('PTTL', KEYS[1])), ARGV[4] + ARGV[5])
  return { 'newer' }
end
if found and found.sequence > tonumber(ARGV[2]) then return { 'newer', redis.call('GET', KEYS[1]) } end
deleteIfWrongType(KEYS[4], 'hash')
if ARGV[10] ~= '' and redis.call('HGET', KEYS[4], 'isRefused') == '1' then return { 'refused' } end
deleteIfWrongType(KEYS[2], 'hash')
local current = redis.call('HMGET', KEYS[2], 'generation', 'freshUntil')
local freshUntil = toInteger(current[1]) and toInteger(current[2])
local isFresh = freshUntil and freshUntil > now and freshUntil <= now + ARGV[5]
local generation, expiresAt = ARGV[10], ARGV[3]
if generation == '' and isFresh then
  generation, expiresAt = current[1], current[2]
elseif generation == '' then
  generation = ARGV[2]
end
local ttlMs = tonumber(expiresAt) + tonumber(ARGV[4]) - now
if ttlMs <= 0 then return { 'stored', generation, expiresAt, 0 } end
local replaces = (found and found.generation == generation or ARGV[11] == '1') and 1 or 0
local line = table.concat({ ARGV[2], generation, expiresAt, replaces, ARGV[7] }, ' ')
redis.call('SET', KEYS[1], line .. '\\n' .. ARGV[9], 'PX', ttlMs)
listVideos(6, ARGV[2], ARGV[7], ttlMs, ARGV[4] + ARGV[5])
if tonumber(expiresAt) > now and not (isFresh and toInteger(current[1]) >= tonumber(generation)) then
  redis.call('HSET', KEYS[2], 'generation', generation, 'freshUntil', expiresAt)
  redis.call('PEXPIRE', KEYS[2], ttlMs)
end
if ARGV[10] == '' then redis.call('DEL', KEYS[4]) end
repairChanges(KEYS[5])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 4096, '*', 'page', ARGV[7], 'by', ARGV[8])
redis.call('PEXPIRE', KEYS[5], 3600000)
return { 'stored', generation, expiresAt, replaces }
`;

/**
 * Releases a lock without having stored a page. KEYS: lock, failure, page. ARGV: sent, token, error, ms for which the
 * first failure in a row is remembered (0: not at all), most ms for any failure, 1 when upstream does not accept
 * requests for the page: it is then dropped. Returns 1 when the lock was still the caller's, else 0.
 */
const RELEASE_LOCK = `${REJECT_LATE}
deleteIfWrongType(KEYS[1], 'string')
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return { 0 } end
redis.call('DEL', KEYS[1])
if tonumber(ARGV[4]) == 0 then return { 1 } end
deleteIfWrongType(KEYS[2], 'hash')
local count = math.min(toInteger(redis.call('HGET', KEYS[2], 'count')) or 0, 30)
local ms = math.min(ARGV[4] * 2 ^ count, tonumber(ARGV[5]))
redis.call('HSET', KEYS[2], 'count', count + 1, 'until', string.format('%.0f', now + ms), 'error', ARGV[3], 'isRefused', ARGV[6])
if ARGV[6] == '1' then redis.call('DEL', KEYS[3]) end
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', ms * 2 + 60000))
return { 1 }
`;

/**
 * Reads which pages were stored. KEYS: changes. ARGV: sent, id of the last change that was read, or an empty text.
 * Returns the id of the last change and, for each since then (200 at most), page and replica.
 */
const READ_CHANGES = `${REJECT_LATE}${REPAIR_CHANGES}
repairChanges(KEYS[1])
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
 * Exchanges request counts. KEYS: one for each client. ARGV: sent, replica, time to live of a count in ms, counts.
 * Returns for each client what the other replicas have counted.
 */
const SHARE_COUNTS = `${REJECT_LATE}
local reply = {}
for i, key in ipairs(KEYS) do
  deleteIfWrongType(key, 'hash')
  local others = 0
  local counts = redis.call('HGETALL', key)
  for j = 1, #counts, 2 do
    local count, at = string.match(counts[j + 1], '^(%d+) (%d+)$')
    local isFresh = toInteger(count) and toInteger(at) and math.abs(now - toInteger(at)) < tonumber(ARGV[3])
    if not isFresh then redis.call('HDEL', key, counts[j])
    elseif counts[j] ~= ARGV[2] then others = others + toInteger(count) end
  end
  redis.call('HSET', key, ARGV[2], ARGV[3 + i] .. ' ' .. string.format('%.0f', now))
  redis.call('PEXPIRE', key, ARGV[3])
  reply[i] = others
end
return reply
`;

/** The keys of the limits that all replicas share. */
const BIND_LIMIT_KEYS = `
local CIRCUIT, CALLS, BUDGET = KEYS[1], KEYS[2], KEYS[3]
deleteIfWrongType(CIRCUIT, 'hash')
deleteIfWrongType(CALLS, 'zset')
deleteIfWrongType(BUDGET, 'hash')
`;

/**
 * The day and what is spent of its budget. When Redis has lost that, or has never had it, nothing may be spent for
 * `holdMs`, in which each replica reports what it knows (`known` credits on `knownDay`); likewise when one knows of
 * more than is stored. A day ends when the clocks of both Redis and the replica (`ownDay`) say so; a clock that is set
 * back does not bring it back.
 */
const SPENDING = `
local function spending(holdMs, ownDay, knownDay, known, isFirst)
  local today = math.floor(now / 86400000)
  local entry = redis.call('HMGET', BUDGET, 'day', 'spent', 'openAt')
  local day, spent, openAt = toInteger(entry[1]), toInteger(entry[2]), toInteger(entry[3])
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
 * Reserves one call within all limits at once. KEYS: circuit, calls, budget. ARGV: sent, token, calls a second, most ms
 * that the call takes, ms that it counts after its response, credits it costs, credits a day (or an empty text), ms to
 * hold an unknown budget, the replica's day. Returns
 *
 * - `granted`, the day, the credits spent on it;
 * - `wait` and ms: for the rate limit, or for another call's probe;
 * - `held` and ms: it is not known yet what is spent;
 * - `spent` and ms until the day ends;
 * - `open`, the error that opened the circuit, and ms until a probe is due.
 */
const RESERVE_CALL = `${REJECT_LATE}${BIND_LIMIT_KEYS}${SPENDING}
local circuit = redis.call('HMGET', CIRCUIT, 'until', 'error', 'probeUntil')
local openUntil = circuit[2] and toInteger(circuit[1])
if openUntil and openUntil > now + 600000 then openUntil = nil end
if openUntil and now < openUntil then return { 'open', circuit[2], openUntil - now } end
local probeUntil = toInteger(circuit[3])
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
 * Reports the state of a reserved call. KEYS: circuit, calls, budget. ARGV: sent, token, state, ms that it still
 * counts, error, ms for which that opens the circuit (of `sent`: ms that the call may take), failures in a row that
 * open it too, credits to give back, their day. States: `unsent`, `sent`, `answered`, `refused`, `failed`. Returns
 * `opened` or `closed` when the circuit changed.
 */
const REPORT_CALL = `${REJECT_LATE}${BIND_LIMIT_KEYS}
local isProbe = redis.call('HGET', CIRCUIT, 'probe') == ARGV[2]
local function open()
  local found = redis.call('HMGET', CIRCUIT, 'until', 'error')
  local openUntil = found[2] and toInteger(found[1]) or 0
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
  if tonumber(ARGV[8]) > 0 and entry[1] == ARGV[9] and (toInteger(entry[2]) or 0) >= tonumber(ARGV[8]) then
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
  local failures = (toInteger(redis.call('HGET', CIRCUIT, 'failures')) or 0) + 1
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
 * Exchanges the state of the limits with a replica. KEYS: circuit, calls, budget. ARGV: sent, 1 when there is a budget,
 * day, credits that this replica knows were spent on it (day -1: none), 1 on its first heartbeat, ms to hold an unknown
 * budget, the replica's day. Returns the day, the credits spent on it, the error that opened the circuit, or an empty
 * text, and ms until a probe is due.
 */
const SYNC_LIMITS = `${REJECT_LATE}${BIND_LIMIT_KEYS}${SPENDING}
local day, spent = 0, 0
if ARGV[2] == '1' then
  day, spent = spending(tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1')
end
local circuit = redis.call('HMGET', CIRCUIT, 'until', 'error')
local openUntil = circuit[2] and toInteger(circuit[1]) or 0
if openUntil == 0 or openUntil > now + 600000 then return { day, spent, '', 0 } end
return { day, spent, circuit[2], math.max(0, openUntil - now) }
`;

/** Name of a script. */
export type ScriptName = keyof typeof SCRIPTS;

/** The scripts, as ioredis's `scripts` option takes them. */
export const SCRIPTS = {
  heartbeat: { lua: HEARTBEAT },
  claimPage: { lua: CLAIM_PAGE },
  renewLock: { lua: RENEW_LOCK },
  storeSharedPage: { lua: STORE_SHARED_PAGE },
  releaseLock: { lua: RELEASE_LOCK },
  findVideos: { lua: FIND_VIDEOS },
  readChanges: { lua: READ_CHANGES },
  reserveCall: { lua: RESERVE_CALL },
  reportCall: { lua: REPORT_CALL },
  syncLimits: { lua: SYNC_LIMITS },
  shareCounts: { lua: SHARE_COUNTS },
} as const;
