local DAY_MS = 86400000

-- Identifies this Redis until it restarts; nil when this user may not run INFO.
local function runId()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%w+)') or nil
end

-- Until when nothing may be spent because another Redis has become the primary: replication is asynchronous, so that it may lack
-- the last credits. `isNew`: without INFO, a new connection counts as that.
local function failoverHold(budget, isNew)
  local entry = redis.call('HMGET', budget, 'primary', 'heldUntil')
  local primary, heldUntil = runId(), toInteger(entry[2]) or 0
  local isOther = primary and entry[1] and entry[1] ~= '' and entry[1] ~= primary or not primary and isNew
  if isOther or heldUntil > now + FAILOVER_HOLD_MS then heldUntil = now + FAILOVER_HOLD_MS end
  redis.call('HSET', budget, 'heldUntil', heldUntil, 'primary', primary or '')
  return heldUntil
end

-- The day and what is spent of its budget. When Redis has lost that, or has never had it, nothing may be spent for
-- `holdMs`, in which each replica reports what it knows (`known` credits on `knownDay`); likewise when one knows of more
-- than is stored. A day ends when the clocks of both Redis and the replica (`ownDay`) say so; a clock that is set back does
-- not bring it back.
local function spending(budget, holdMs, ownDay, knownDay, known, isFirst)
  local today = math.floor(now / DAY_MS)
  local entry = redis.call('HMGET', budget, 'day', 'spent', 'openAt')
  local day, spent, openAt = toInteger(entry[1]), toInteger(entry[2]), toInteger(entry[3])
  local isKnown = day and spent and openAt and day <= math.max(today, ownDay) + 1
  if not isKnown then day, spent, openAt = today, 0, now + holdMs end
  if day < today and day < ownDay then day, spent = math.min(today, ownDay), 0 end
  local heldUntil = failoverHold(budget, isKnown and isFirst)
  -- Other releases forget what is spent when this is further ahead.
  openAt = math.min(math.max(openAt, heldUntil), now + holdMs)
  if known and knownDay >= day and knownDay <= day + 1 and (isFirst or openAt > now) then
    if known > spent then openAt = now + holdMs end
    day, spent = knownDay, math.max(spent, known)
  end
  redis.call('HSET', budget, 'day', day, 'spent', spent, 'openAt', openAt)
  redis.call('PEXPIRE', budget, 2 * DAY_MS)
  return day, spent, openAt
end
