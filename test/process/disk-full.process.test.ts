// A disk that has no room for the embedded engine, from outside: a small file system of its own, where this machine lets us have one.
// What stands in for it elsewhere is the limit on the size of a file (RLIMIT_FSIZE): writes beyond it fail, as they do on a full disk
// (EFBIG, not ENOSPC), and it is lifted as a disk is cleared.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { runHowdah, startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';

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
create function endless(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$ begin
  loop end loop; end $$;
create unlogged table ballast (filling text);
alter table ballast alter column filling set storage external;
create function fill_data(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$ begin
  insert into ballast select repeat('0123456789abcdef', 65536) from generate_series(1, 8);
  return omni_httpd.http_response('filled'); end $$;
create function entries(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql stable
  return omni_httpd.http_response((select string_agg(text, ' ' order by id) from entry where text <> 'filling'));
insert into omni_httpd.urlpattern_router (match, handler)
select omni_httpd.urlpattern('/' || replace(name, '_', '-')), name::regproc
from unnest(array['add', 'fill', 'fill_log', 'fill_data', 'endless', 'entries']) as names (name);
`;

interface Asked {
  readonly status: number;
  readonly body: string;
}

async function askServer(served: Served, path: string): Promise<Asked> {
  const response = await fetch(new URL(path, served.url));
  return { status: response.status, body: await response.text() };
}

async function installRoutes(served: Served): Promise<void> {
  const sql = new Client({ connectionString: served.gatewayUrl ?? '' });
  await sql.connect();
  await sql.query(SCHEMA);
  await sql.end();
}

/** In namespaces of its own, a file system of that size in the working directory. */
const within = (size: string): readonly string[] => {
  const script = `mount -t tmpfs -o size=${size} none . && cd "$PWD" && exec "$@"`;
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
};

const [command = '', ...rest] = within('1m');
const mounting = spawnSync(command, [...rest, 'true'], { encoding: 'utf8' });
const noMount =
  mounting.status !== 0 &&
  `no file system can be mounted in a user namespace: ${mounting.stderr || mounting.error}`;

describe('the embedded engine on a small disk that is full', { skip: noMount }, () => {
  const directory = temporaryDirectory();
  let served: Served;
  let disk = '';

  const ask = (path: string): Promise<Asked> => askServer(served, path);
  const others = (): string => join(disk, 'of somebody else');
  const leaveRoom = (bytes: number): void => {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(others(), Buffer.alloc(bavail * bsize - bytes, 1));
  };
  const clearDisk = (): void => rmSync(others());

  before(async () => {
    served = await startServe([], { cwd: directory.path, within: within('128m') });
    // The file system is seen by that process alone.
    disk = `/proc/${served.process.child.pid}/root${directory.path}`;
    await installRoutes(served);
  });
  after(async () => {
    await served?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  it('asks to come again where there is no room for data, serves all other requests, and goes on when there is', async () => {
    assert.equal((await ask('/add?before')).status, 200);
    leaveRoom(ROOM_FOR_LOG_ONLY);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 503) statuses.push((await ask('/fill-data')).status);
    assert.deepEqual(new Set(statuses), new Set([200, 503]));
    await served.process.prints(
      /fill_data failed: could not extend file .*No space left on device[^]*"53100"/,
      'err',
    );
    assert.deepEqual(await ask('/entries'), { status: 200, body: 'before' });
    assert.equal((await ask('/add?meanwhile')).status, 200);
    clearDisk();
    assert.equal((await ask('/fill-data')).status, 200);
    assert.equal((await ask('/entries')).body, 'before meanwhile');
  });

  it('comes back with what was committed where there was no room for the log', async () => {
    leaveRoom(0);
    let answer = await ask('/fill-log');
    while (answer.status === 200) answer = await ask('/fill-log');
    assert.equal(answer.status, 500);
    // PostgreSQL ends itself where it cannot write its log. It may come back at once, if what is left of the log's last file is enough.
    await served.process.prints(/session lost: PANIC: .*No space left on device/, 'err');
    clearDisk();
    answer = await ask('/entries');
    while (answer.status === 503) answer = await ask('/entries');
    assert.match(answer.body, /^before meanwhile( in a log that has no room)*$/);
    assert.equal((await ask('/add?after')).status, 200);
    assert.match((await ask('/entries')).body, / after$/);
  });

  it('says so where there is no room for a new database', async () => {
    using other = temporaryDirectory();
    const { code, err } = await runHowdah(['serve', '--listen', '127.0.0.1:0', '--pg-listen', 'off'], {
      cwd: other.path,
      within: within('20m'),
    });
    assert.equal(code, 3);
    assert.match(err, /^howdah: the data directory cannot be used: .*no space left on device/m);
    assert.doesNotMatch(err, /^ {4}at /m);
  });
});

describe('the embedded engine where files may not grow', () => {
  const directory = temporaryDirectory();
  let served: Served;

  const ask = (path: string): Promise<Asked> => askServer(served, path);
  const limitFiles = (bytes: number | 'unlimited'): void => {
    execFileSync('prlimit', ['--pid', String(served.process.child.pid), `--fsize=${bytes}:unlimited`]);
  };

  before(async () => {
    served = await startServe(['--handler-timeout', '1s'], { cwd: directory.path });
    await installRoutes(served);
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
  it('tries again and again where PostgreSQL does not start any more, until it does', async () => {
    const control = join(directory.path, '.howdah/postgres/global/pg_control');
    renameSync(control, `${control}.away`);
    // Only a new start ends it.
    assert.equal((await ask('/endless')).status, 504);
    await served.process.prints(/(session lost: (PANIC|FATAL): .*pg_control[^]*){2}/, 'err');
    renameSync(`${control}.away`, control);
    let answer = await ask('/entries');
    while (answer.status === 503) answer = await ask('/entries');
    assert.equal(answer.body, 'before after again');
    assert.doesNotMatch(served.process.err, /^ {4}(at |stack)/m);
  });
});
