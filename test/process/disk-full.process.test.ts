// A disk that has no room for the embedded engine, from outside. What stands in for it is the limit on the size of a file
// (RLIMIT_FSIZE): writes beyond it fail, as they do on a full disk (EFBIG, not ENOSPC), and it is lifted as a disk is cleared.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';

/** More than a segment of the write-ahead log, which is 16 MiB; and less. */
const ROOM_FOR_LOG_ONLY = 20_000_000;
const NO_ROOM = 3_000_000;

const SCHEMA = `
create table entry (id int generated always as identity, text text, filling text);
alter table entry alter column filling set storage external;
create function add(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$ begin
  insert into entry (text) values (request.query_string); return omni_httpd.http_response('added'); end $$;
create function fill(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$ begin
  insert into entry (text, filling) select 'filling', repeat('0123456789abcdef', 65536) from generate_series(1, 8);
  return omni_httpd.http_response('filled'); end $$;
create function fill_log(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$ begin
  insert into entry (text) values ('in a log that has no room');
  perform pg_logical_emit_message(true, 'filling', repeat('x', 4000000)); return omni_httpd.http_response('filled'); end $$;
create function entries(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response((select string_agg(text, ' ' order by id) from entry where text <> 'filling'));
insert into omni_httpd.urlpattern_router (match, handler)
select omni_httpd.urlpattern('/' || replace(name, '_', '-') || '*?'), name::regproc
from unnest(array['add', 'fill', 'fill_log', 'entries']) as names (name);
`;

describe('the embedded engine on a disk that is full', () => {
  const directory = temporaryDirectory();
  let served: Served;

  const ask = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(new URL(path, served.url));
    return { status: response.status, body: await response.text() };
  };
  const limitFiles = (bytes: number | 'unlimited'): void => {
    execFileSync('prlimit', ['--pid', String(served.process.child.pid), `--fsize=${bytes}:unlimited`]);
  };

  before(async () => {
    served = await startServe([], { cwd: directory.path });
    const sql = new Client({ connectionString: served.gatewayUrl ?? '' });
    await sql.connect();
    await sql.query(SCHEMA);
    await sql.end();
  });
  after(async () => {
    await served?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  it('fails the requests that need room, serves all others, and loses nothing that was committed', async () => {
    assert.equal((await ask('/add?before')).status, 200);
    limitFiles(ROOM_FOR_LOG_ONLY);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 500) statuses.push((await ask('/fill')).status);
    // It had room for the first ones.
    assert.deepEqual(new Set(statuses), new Set([200, 500]));
    assert.deepEqual(await ask('/entries'), { status: 200, body: 'before' });
    limitFiles('unlimited');
    assert.equal((await ask('/fill')).status, 200);
    assert.equal((await ask('/add?after')).status, 200);
    assert.equal((await ask('/entries')).body, 'before after');
  });

  it('starts again by itself where there was no room for the log: with what was committed, and nothing else', async () => {
    limitFiles(NO_ROOM);
    // PostgreSQL ends itself where it cannot write its log.
    assert.equal((await ask('/fill-log')).status, 500);
    await served.process.prints(/PANIC/, 'err');
    limitFiles('unlimited');
    let answer = await ask('/entries');
    while (answer.status === 503) answer = await ask('/entries');
    assert.deepEqual(answer, { status: 200, body: 'before after' });
    assert.equal((await ask('/add?again')).status, 200);
    assert.equal((await ask('/entries')).body, 'before after again');
  });
});
