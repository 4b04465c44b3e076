-- wrk: POST entries that are all different, about as long as a log line, with a bearer token from the environment.
local token = os.getenv("BENCH_TOKEN")
local counter = 0
local number = 0

function setup(thread)
  counter = counter + 1
  thread:set("seed", counter)
end

function init()
  math.randomseed(os.time() * 31 + seed)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. token
end

function request()
  number = number + 1
  local body = string.format('{"contents":"record %d-%09d %08x%08x%08x%08x"}', seed, number,
    math.random(0, 2147483647), math.random(0, 2147483647), math.random(0, 2147483647), math.random(0, 2147483647))
  return wrk.format(nil, nil, nil, body)
end

function done(summary, latency)
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"bad":%d,"p50":%d,"p99":%d,"max":%d}\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
