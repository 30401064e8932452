-- The workers of all servers of this database, and what each of them does. As old as nodes.seen_at says.
create or replace view howdah.workers as
select
  nodes.id as node,
  nodes.host,
  said.slot as worker,
  said.pid,
  -- starting, serving, draining, failed (it ended and is about to be started anew)
  said.state,
  said."startedAt" as started_at,
  -- How often this worker was started anew after it had ended by itself, or hung.
  said.restarts,
  said.connections,
  -- Requests that are being answered, and those that were.
  said."openRequests" as open_requests,
  said.requests,
  said.sessions,
  said."busySessions" as busy_sessions,
  -- Calls that wait for a session.
  said."queuedCalls" as queued_calls,
  -- Calls that a sibling with an idle session ran for it, and those that it ran for siblings.
  said."callsSent" as calls_sent,
  said."callsTaken" as calls_taken,
  said."epoch" as catalog_epoch,
  nodes.seen_at
from
  howdah.nodes,
  jsonb_to_recordset(nodes.workers) as said (
    slot integer, pid integer, state text, "startedAt" timestamptz, restarts integer, connections integer,
    "openRequests" integer, requests bigint, sessions integer, "busySessions" integer, "queuedCalls" integer,
    "callsSent" bigint, "callsTaken" bigint, epoch bigint
  );

-- The connections of each worker: of many, those that are open longest (the first 1000).
create or replace view howdah.connections as
select
  nodes.id as node,
  (worker ->> 'slot')::integer as worker,
  said.listener,
  said.protocol,
  said.peer,
  said."since" as connected_at
from
  howdah.nodes,
  jsonb_array_elements(nodes.workers) as worker,
  jsonb_to_recordset(worker -> 'connectionList') as said (
    listener integer, protocol text, peer text, since timestamptz
  );

-- The PostgreSQL sessions of each worker; pid is the one of pg_stat_activity.
create or replace view howdah.sessions as
select
  nodes.id as node,
  (worker ->> 'slot')::integer as worker,
  said.pid,
  -- idle, busy, cancelling
  said.state,
  -- Calls that were sent and are not answered.
  said.calls,
  said.statement
from
  howdah.nodes,
  jsonb_array_elements(nodes.workers) as worker,
  jsonb_to_recordset(worker -> 'sessionList') as said (
    pid integer, state text, calls integer, statement text
  );

revoke all on howdah.workers, howdah.connections, howdah.sessions from public;
