-- Prints what wrk knows at its end as one line of JSON, exact, where its text rounds. Sets no request or response
-- function, so that the load itself is as fast as without a script.
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'wrk-summary {"requests":%d,"durationUs":%d,"bytes":%d,"connectErrors":%d,"readErrors":%d,"writeErrors":%d,'
      .. '"timeouts":%d,"badStatuses":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write,
    errors.timeout, errors.status, latency:percentile(50), latency:percentile(99), latency.max))
end
