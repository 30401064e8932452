-- Asks for /item/1000 to /item/1999 in turn, from requests that are built once. Ends as summary.lua does.
dofile((os.getenv("BENCH_LOAD_DIRECTORY") or ".") .. "/summary.lua")

local FIRST, COUNT = 1000, 1000
local requests, at = {}, 0

init = function()
  for index = 1, COUNT do
    requests[index] = wrk.format("GET", "/item/" .. (FIRST + index - 1))
  end
end

request = function()
  at = at % COUNT + 1
  return requests[at]
end
