-- The one script that writes state: compares, then appends. All decisions are made in Python.
--
-- KEYS  1 events of the run   2 lease of the run   3 once-key or ''   4 open set
--       5 feed                6 queue to wake or ''                   7 fence counter
-- ARGV  1 run id              2 expected version ('' for take)
--       3 lease: none|take|hold|drop   4 token ('' unless hold or drop)   5 lease time in ms
--       6 last moment to accept, in ms of this server's clock, or ''
--       7 'open' or 'closed'  8 once-key lifetime in ms
--       9 most entries kept in a stream            10... signed entries
--
-- Returns {'done', version} (take: {'done', version, token, entries}) or {'known', run} | {'late'}
--       | {'conflict', version} | {'held'} | {'closed'} | {'fenced'}: then nothing has changed.
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
if mode ~= 'none' then
  if holder ~= token then return {'fenced'} end
  if mode == 'drop' then
    redis.call('DEL', KEYS[2])
  else
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
  end
end

for i = 10, #ARGV do
  version = redis.call('RPUSH', KEYS[1], ARGV[i])
end
if #ARGV >= 10 then
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[9], '*', 'run', ARGV[1])
end
if ARGV[7] == 'closed' then
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], 30 * 24 * 3600 * 1000) -- questions are not kept for ever
else
  redis.call('ZADD', KEYS[4], now, ARGV[1])
end
if KEYS[6] ~= '' then
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[9], '*', 'run', ARGV[1])
end
if KEYS[3] ~= '' then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[8])
end
return {'done', version}
