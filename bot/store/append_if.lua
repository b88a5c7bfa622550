-- The one script that writes state: compares, then appends. All decisions are made in Python.
--
-- KEYS  1 events of the run   2 lease of the run   3 once-key or ''   4 open set
--       5 feed                6 queue to wake or ''                   7 fence counter
--       8 waiting set         9 lock of what the run changes or ''    10 turns of that lock
--      11 list of output batches or ''      12 set of a cluster's ended runs or ''
--      13 set of runs with events to record 14 signed record to replace or ''
--      15 hash of how far the output of work on hosts is stored
-- ARGV  1 run id              2 expected version ('' for take)
--       3 lease: none|take|hold|drop   4 token ('' unless hold or drop)   5 lease time in ms
--       6 last moment to accept, in ms of this server's clock, or ''
--       7 'open', 'waiting' (for a person) or 'closed'   8 once-key lifetime in ms
--       9 most entries kept in a stream   10 lifetime of a closed run's entries in ms, or ''
--      11 'take' or 'drop' the lock, or ''
--      12 batch of output or ''          13 how many old batches of its list to drop
--      14 that record as it was read, '' where there was none      15 what it becomes or ''
--      16 what that hash gets with the batch: a field and a value in turn, as JSON, or ''
--      17... signed entries
--
-- Returns {'done', version, turn} (take: {'done', version, token, entries}) or {'known', run}
--       | {'late'} | {'conflict', version} | {'held'} | {'closed'} | {'fenced'} | {'stale'}
--       | {'locked', run}: then nothing has changed.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if KEYS[3] ~= '' then
  local known = redis.call('GET', KEYS[3])
  if known then return {'known', known} end
end
if ARGV[6] ~= '' and now > tonumber(ARGV[6]) then return {'late'} end

local mode, token = ARGV[3], ARGV[4]
local holder = redis.call('GET', KEYS[2])
local version = redis.call('LLEN', KEYS[1])
if mode == 'take' then
  if holder then return {'held'} end
  if not redis.call('ZSCORE', KEYS[4], ARGV[1]) then return {'closed'} end
  token = tostring(redis.call('INCR', KEYS[7]))
  redis.call('SET', KEYS[2], token, 'PX', ARGV[5])
  return {'done', version, token, redis.call('LRANGE', KEYS[1], 0, -1)}
end

if version ~= tonumber(ARGV[2]) then return {'conflict', version} end
if mode ~= 'none' and holder ~= token then return {'fenced'} end
if ARGV[15] ~= '' then
  local text = redis.call('TYPE', KEYS[14]).ok == 'string'
  local record = text and redis.call('GET', KEYS[14]) or ''
  if record ~= ARGV[14] and record ~= ARGV[15] then return {'stale'} end
end
local locked_by = KEYS[9] ~= '' and redis.call('GET', KEYS[9])
if ARGV[11] == 'take' then
  if locked_by and locked_by ~= ARGV[1] then return {'locked', locked_by} end
  if not locked_by then
    redis.call('SET', KEYS[9], ARGV[1])
    redis.call('INCR', KEYS[10])
  end
elseif ARGV[11] == 'drop' and locked_by == ARGV[1] then
  redis.call('DEL', KEYS[9])
end
if mode ~= 'none' then
  if mode == 'drop' then
    redis.call('DEL', KEYS[2])
  else
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
  end
end

if ARGV[15] ~= '' then redis.call('SET', KEYS[14], ARGV[15]) end
for i = 17, #ARGV do
  version = redis.call('RPUSH', KEYS[1], ARGV[i])
end
if ARGV[12] ~= '' then
  redis.call('RPUSH', KEYS[11], ARGV[12])
  if tonumber(ARGV[13]) > 0 then redis.call('LTRIM', KEYS[11], ARGV[13], -1) end
  redis.call('PEXPIRE', KEYS[11], 30 * 24 * 3600 * 1000)
end
if ARGV[16] ~= '' then
  redis.call('HSET', KEYS[15], unpack(cjson.decode(ARGV[16])))
  redis.call('PEXPIRE', KEYS[15], 30 * 24 * 3600 * 1000)
end
if #ARGV >= 17 or ARGV[12] ~= '' then
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[9], '*', 'run', ARGV[1])
end
if #ARGV >= 17 and ARGV[10] == '' then redis.call('ZADD', KEYS[13], 'NX', now, ARGV[1]) end
if ARGV[7] == 'open' then
  redis.call('ZADD', KEYS[4], now, ARGV[1])
  redis.call('ZREM', KEYS[8], ARGV[1])
  redis.call('PERSIST', KEYS[1])
elseif ARGV[7] == 'waiting' then
  redis.call('ZADD', KEYS[8], now, ARGV[1])
  redis.call('ZREM', KEYS[4], ARGV[1])
else
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('ZREM', KEYS[8], ARGV[1])
  if ARGV[10] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[10]) end
  if KEYS[12] ~= '' then
    redis.call('ZADD', KEYS[12], now, ARGV[1])
    redis.call('ZREMRANGEBYRANK', KEYS[12], 0, -201) -- a list to look at, not the record
  end
end
if KEYS[6] ~= '' then
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[9], '*', 'run', ARGV[1])
end
if KEYS[3] ~= '' then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[8])
end
return {'done', version, KEYS[9] ~= '' and redis.call('GET', KEYS[10]) or ''}
