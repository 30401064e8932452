-- Prints what wrk knows at its end as one line of JSON, exact, where its text rounds. With BENCH_POST requests are POST with
-- that body; with BENCH_PIPELINED above 1 that many are sent at once. Otherwise it sets no request function, so that the
-- load itself is as fast as without a script.
local post = os.getenv("BENCH_POST") or ""
if post ~= "" then
  wrk.method = "POST"
  wrk.body = post
end

local pipelined = tonumber(os.getenv("BENCH_PIPELINED") or "1")
if pipelined > 1 then
  local batch
  init = function()
    local requests = {}
    for index = 1, pipelined do
      requests[index] = wrk.format()
    end
    batch = table.concat(requests)
  end
  request = function()
    return batch
  end
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'wrk-summary {"requests":%d,"durationUs":%d,"bytes":%d,"connectErrors":%d,"readErrors":%d,"writeErrors":%d,'
      .. '"timeouts":%d,"badStatuses":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write,
    errors.timeout, errors.status, latency:percentile(50), latency:percentile(99), latency.max))
end
