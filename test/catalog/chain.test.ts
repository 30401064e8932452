// What a chain of routes does in PostgreSQL (omni_httpd.md §8): order, middleware, stop_handling, arguments, procedures.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { CHAIN_ROUTES } from './chain-routes.ts';
import { openEngine, type Engine } from './engine.ts';
import { ask, askShort } from './fake-exchange.ts';

let engine: Engine;

describe('chains of routes', () => {
  before(async () => {
    engine = await openEngine();
    await engine.sql(CHAIN_ROUTES);
    await engine.sql('select howdah.discover_routers()');
  });
  after(() => engine.close());
  beforeEach(async () => {
    await engine.sql(
      'delete from omni_httpd.urlpattern_router; delete from t.prioritized; delete from t.named; truncate t.log',
    );
    engine.observations.length = 0;
  });

  /** One route per handler, all matching, the first with the highest priority, and none besides. */
  async function chain(...handlers: string[]): Promise<void> {
    const rows = handlers.map(
      (name, i) => `(omni_httpd.urlpattern(), 't.${name}'::regproc::regprocedure, ${100 - i})`,
    );
    await engine.sql(`delete from t.prioritized;
      insert into t.prioritized (match, handler, priority) values ${rows.join(', ')}`);
  }

  async function log(): Promise<string | null> {
    return engine.value("select string_agg(entry, ', ') from t.log");
  }

  const get = (path = '/x'): Promise<string> => askShort(engine.catalog.handle, { path });

  test('a route is called by the first request after its commit', async () => {
    assert.equal(await get(), '404');
    await engine.sql(`insert into omni_httpd.urlpattern_router (match, handler)
      values (omni_httpd.urlpattern('/x'), 't.hello'::regproc)`);
    assert.equal(await get(), '200 hello /x');
    assert.equal(await get('/y'), '404');
  });

  test('only the first handler runs', async () => {
    await chain('hello', 'second');
    assert.equal(await get(), '200 hello /x');
    assert.equal(await log(), null);
  });

  test('all middleware runs, before and after the handler, with the outcome so far', async () => {
    await chain('mark', 'second', 'hello', 'mark');
    const answer = await ask(engine.catalog.handle);
    assert.ok(answer.kind === 'response');
    assert.equal(answer.body, 'second');
    assert.deepEqual(answer.fields, ['content-type', 'text/plain; charset=utf-8', 'x-mark', 'yes']);
    assert.equal(await log(), 'mark -, second, mark second');
  });

  test("a handler's outcome replaces what middleware made before it", async () => {
    await chain('default_answer', 'hello');
    assert.equal(await get(), '200 hello /x');
  });

  test('a handler that returns null makes the outcome null', async () => {
    await chain('default_answer', 'none');
    assert.equal(await get(), '204');
  });

  test('middleware after a handler that returned null can make an outcome', async () => {
    await chain('none', 'default_answer');
    assert.equal(await get(), '200 made by middleware');
  });

  test('a route without an outcome runs and sets it to null', async () => {
    await chain('default_answer', 'no_outcome');
    assert.equal(await get(), '204');
    assert.equal(await log(), 'no_outcome');
  });

  test('middleware that sets the outcome to null has its way', async () => {
    await chain('hello', 'erase');
    assert.equal(await get(), '204');
  });

  test('stop_handling ends the chain with the outcome of the route that called it', async () => {
    await chain('stop', 'mark', 'erase');
    assert.equal(await get(), '200 stopped');
    assert.equal(await log(), null);
  });

  test('stop_handling in middleware keeps the handler from running', async () => {
    await chain('default_answer', 'stopping', 'second');
    assert.equal(await get(), '200 made by middleware');
    assert.equal(await log(), null);
  });

  test('stop_handling does not reach the next request', async () => {
    await chain('mark', 'stop', 'mark');
    assert.equal(await get(), '200 stopped');
    await chain('default_answer', 'second');
    assert.equal(await get(), '200 second');
  });

  test('functions of a chain are one transaction: an error undoes all of them', async () => {
    await chain('mark', 'boom');
    assert.equal(await get(), 'fail 500');
    assert.equal(await log(), null);
    const failure = engine.observations.find(({ kind }) => kind === 'handler-failed');
    assert.ok(failure?.kind === 'handler-failed');
    assert.equal(failure.sqlState, 'P0123');
    assert.equal(failure.message, 'went wrong');
    assert.equal(failure.detail, 'the detail');
    assert.equal(failure.handler, 't.mark, t.boom');
  });

  test('a function with more OUT parameters gives its outcome', async () => {
    await chain('second', 'two');
    assert.equal(await get(), '200 two');
  });

  test('a strict function that would always be given null is left out, with what mends it', async () => {
    await chain('strict', 'hello');
    assert.equal(await get(), '200 hello /x');
    const [problem, ...others] = (await engine.catalog.refresh()).problems;
    assert.deepEqual(others, []);
    assert.match(
      problem?.problem ?? '',
      /never run.* parameter of type text: alter function t\.strict\(omni_httpd\.http_request,text\) called on null input$/,
    );
    await engine.sql('alter function t.strict called on null input');
    await engine.catalog.refresh();
    assert.equal(await get(), '200 ran');
    await engine.sql('alter function t.strict strict');
  });

  test('a strict function that sometimes is given null is not run then, and gives null, as SQL says', async () => {
    await chain('hello', 'strict_mark');
    assert.equal(await get(), '200 strict');
    await engine.sql(
      "update t.prioritized set handler = 't.none'::regproc where handler = 't.hello'::regproc",
    );
    assert.equal(await get(), '204');
  });

  test('arguments are passed by type, and null for everything else', async () => {
    await engine.sql(`insert into t.named (match, handler, label)
      values (omni_httpd.urlpattern('/a'), 't.arguments'::regproc, E'it''s "\\\\ a,b'),
             (omni_httpd.urlpattern('/b'), 't.arguments'::regproc, null)`);
    const listenerId = 17;
    assert.equal(
      await askShort(engine.catalog.handle, { path: '/a', listenerId }),
      '200 t|17|/a|it\'s "\\ a,b|t|t',
    );
    assert.equal(await askShort(engine.catalog.handle, { path: '/b', listenerId }), '200 t|17|/b||t|t');
    const [a, b] = engine.calls.slice(-2);
    assert.equal(a?.statement.name, b?.statement.name, 'the rows of a router share a statement');
  });

  test('of two parameters of one type the last gets the value', async () => {
    await chain('two_listeners');
    assert.equal(await get(), '200 |1');
  });

  test('the request arrives as it was sent', async () => {
    await chain('echo');
    const answer = await ask(engine.catalog.handle, {
      method: 'POST',
      path: '/a%20b/./c/../%C3%BC',
      query: 'q=%20\xfc',
      body: 'the body ü',
      peer: '::1',
      fields: [
        'host',
        'localhost:8080',
        'omnigres-connecting-ip',
        '10.0.0.1',
        'connection',
        'keep-alive, x-hop',
        'x-hop',
        '1',
        'x-long',
        'ö'.repeat(100),
        'transfer-encoding',
        'chunked',
        'x-empty',
        '',
      ],
    });
    assert.ok(answer.kind === 'response');
    assert.deepEqual(JSON.parse(answer.body ?? ''), {
      method: 'POST',
      path: '/a b/ü',
      query: 'q=%20ü',
      body: 'the body ü',
      headers: [
        { name: 'omnigres-connecting-ip', value: '::1' },
        { name: 'host', value: 'localhost:8080' },
        { name: 'omnigres-connecting-ip', value: '10.0.0.1' },
        { name: 'x-long', value: 'ö'.repeat(100) },
        { name: 'x-empty', value: '' },
      ],
    });
  });

  test('without ? the query string is null, without anything after it empty; a missing body is empty', async () => {
    await chain('echo');
    for (const query of [null, '']) {
      const answer = await ask(engine.catalog.handle, { query, path: '*', method: 'OPTIONS' });
      assert.ok(answer.kind === 'response');
      const echoed = JSON.parse(answer.body ?? '') as { query: unknown; body: unknown; path: unknown };
      assert.deepEqual([echoed.query, echoed.body, echoed.path], [query, '', '/']);
    }
  });

  test('a procedure may commit and roll back', async () => {
    await chain('commits');
    assert.equal(await get(), '200 committed');
    assert.equal(await log(), 'before commit');
  });

  test('a procedure without an outcome sets it to null', async () => {
    await chain('default_answer', 'no_out');
    assert.equal(await get(), '204');
    assert.equal(await log(), 'no_out');
  });

  test('functions and procedures of one chain pass the outcome on', async () => {
    await chain('mark', 'second', 'middle', 'mark');
    const answer = await ask(engine.catalog.handle);
    assert.ok(answer.kind === 'response');
    assert.equal(answer.body, 'middle: second');
    assert.deepEqual(answer.fields, ['content-type', 'text/plain; charset=utf-8', 'x-mark', 'yes']);
    assert.equal(await log(), 'mark -, second, middle, mark middle: second');
  });

  test('stop_handling in a function keeps a procedure from being called', async () => {
    await chain('stop', 'middle');
    assert.equal(await get(), '200 stopped');
    assert.equal(await log(), null);
  });

  test('stop_handling in a procedure ends the chain, also after a commit', async () => {
    await engine.sql(`create procedure t.stops(request omni_httpd.http_request, out outcome omni_httpd.http_outcome)
      language plpgsql as $$ begin
        outcome := omni_httpd.http_response('stopped'); perform omni_httpd.stop_handling(); commit; end $$;
      create procedure t.stops_without_outcome() language plpgsql as $$ begin perform omni_httpd.stop_handling(); end $$`);
    await chain('stops', 'mark', 'middle');
    assert.equal(await get(), '200 stopped');
    assert.equal(await log(), null);
    await chain('stops_without_outcome', 'mark');
    assert.equal(await get(), '204');
    await chain('middle', 'second', 'mark');
    assert.equal(await get(), '200 second', 'the next request does not know of it');
    assert.equal(await log(), 'middle, second, mark second');
  });

  test('stop_handling in a function that is marked as stable does not reach the next request', async () => {
    await engine.sql(`create function t.stable_stop() returns omni_httpd.http_outcome stable language plpgsql as $$ begin
        perform omni_httpd.stop_handling(); return omni_httpd.http_response('stopped'); end $$`);
    await chain('stable_stop');
    assert.equal(await get(), '200 stopped');
    await chain('middle', 'second', 'mark');
    assert.equal(await get(), '200 second');
    await chain('mark', 'second');
    assert.equal(await get(), '200 second');
  });

  test('a stable function sees what routes before it wrote', async () => {
    await engine.sql(`create function t.count_log(request omni_httpd.http_request, listener int, route t.prioritized,
        inout outcome omni_httpd.http_outcome) stable language plpgsql as $$ begin
        outcome := omni_httpd.http_response(format('%s %s %s %s %s', (select count(*) from t.log), request.path, listener,
          route.priority, convert_from((outcome::omni_httpd.http_response).body, 'utf8'))); end $$`);
    await chain('mark', 'second', 'count_log');
    assert.equal(await get(), '200 2 /x 1 98 second');
  });

  test('each function of a chain runs as its own role, in one statement', async () => {
    await engine.sql(`create role reader; create role writer; grant usage on schema t, omni_httpd, omni_http to reader, writer;
      create function t.as_reader() returns omni_httpd.http_outcome language plpgsql as $$ begin
        return omni_httpd.http_response(current_user::text); end $$;
      create function t.as_writer(inout outcome omni_httpd.http_outcome) language plpgsql as $$ begin
        outcome := omni_httpd.http_response(convert_from((outcome::omni_httpd.http_response).body, 'utf8') || ' ' || current_user);
        end $$;
      create function t.as_nobody(inout outcome omni_httpd.http_outcome) language plpgsql as $$ begin
        outcome := omni_httpd.http_response(convert_from((outcome::omni_httpd.http_response).body, 'utf8') || ' ' || current_user);
        end $$;
      create procedure t.in_between(inout outcome omni_httpd.http_outcome) language plpgsql as $$ begin
        outcome := omni_httpd.http_response(convert_from((outcome::omni_httpd.http_response).body, 'utf8') || ' ' || current_user);
        end $$;
      insert into omni_httpd.handler_role values ('t.as_reader'::regproc, 'reader'), ('t.as_writer'::regproc, 'writer'),
        ('t.in_between'::regproc, 'reader')`);
    await chain('as_reader', 'as_writer', 'in_between', 'as_nobody');
    const before = engine.calls.length;
    assert.equal(await get(), '200 reader writer reader postgres');
    // The catalog has moved on once.
    assert.ok(engine.calls.length - before <= 2);
    assert.equal(await get(), '200 reader writer reader postgres');
    assert.equal(engine.calls.length, before + 3);
  });

  test('a procedure may choose the isolation of its transaction', async () => {
    await engine.sql(`create procedure t.isolated(request omni_httpd.http_request, out outcome omni_httpd.http_outcome)
      language plpgsql as $$ begin
        if request.path = '/serializable' then rollback; set transaction isolation level serializable; end if;
        outcome := omni_httpd.http_response(current_setting('transaction_isolation')); end $$`);
    await chain('isolated');
    assert.equal(await get('/serializable'), '200 serializable');
    assert.equal(await get('/other'), '200 read committed');
  });

  test('what a procedure committed stays when a later route fails', async () => {
    await chain('middle', 'boom');
    assert.equal(await get(), 'fail 500');
    assert.equal(await log(), 'middle');
  });

  test('in development the answer to a failure says what went wrong', async () => {
    await chain('boom');
    const answer = await ask(engine.devCatalog.handle);
    assert.ok(answer.kind === 'response');
    assert.equal(answer.status, 500);
    assert.match(answer.body ?? '', /ERROR: {2}went wrong \(P0123\)\nDETAIL: {2}the detail/);
  });

  test('abort() and http_proxy() are told apart from responses', async () => {
    await chain('goes_away');
    assert.equal(await get(), 'abort');
    await chain('elsewhere');
    assert.equal(await get(), 'fail 599');
    assert.deepEqual(engine.proxied, [{ url: 'http://upstream/path', preserveHost: false }]);
  });

  test('a static file handler answers with files that the server reads (§14)', async () => {
    await engine.sql(`select omni_httpd.instantiate_static_file_handler(schema => 't');
      select omni_httpd.instantiate_static_file_handler('t', 'files');
      create domain t.other_fs as howdah.local_fs;
      create table t.static (like omni_httpd.urlpattern_router, fs howdah.local_fs, path text, listing boolean);
      create function t.serve(request omni_httpd.http_request, r t.static) returns omni_httpd.http_outcome
        return t.static_file_handler(request, r.fs, path => r.path, listing => r.listing);
      create function t.serve_other(request omni_httpd.http_request) returns omni_httpd.http_outcome
        return t.files(request, howdah.local_fs('/srv/ü,"x')::t.other_fs, '/sub');
      create function t.send(request omni_httpd.http_request) returns omni_httpd.http_outcome
        return howdah.http_file(howdah.local_fs('/srv'), '/a.pdf', array[omni_http.http_header('x-sent', 'yes')]);
      insert into t.static values
        (omni_httpd.urlpattern('/*'), 't.serve'::regproc, howdah.local_fs('/srv/www'), null, true),
        (omni_httpd.urlpattern('/one'), 't.serve'::regproc, howdah.local_fs('/srv/www'), '/index.html', null);
      insert into omni_httpd.urlpattern_router values
        (omni_httpd.urlpattern('/other/*'), 't.serve_other'::regproc), (omni_httpd.urlpattern('/send'), 't.send'::regproc);`);
    await engine.sql('select howdah.discover_routers()');
    await engine.sql(
      "delete from t.static where path is null; insert into t.static select (omni_httpd.urlpattern('/some/*')), handler, fs, null, true from t.static",
    );
    for (const path of ['/some/file.html', '/one', '/other/x', '/send'])
      assert.equal(await get(path), 'fail 598');
    const of = (mount: string, path: string, shownPath = path, listing = false): object => ({
      mount,
      path,
      shownPath,
      listing,
      fields: [],
    });
    assert.deepEqual(engine.files, [
      of('/srv/www', '/some/file.html', '/some/file.html', true),
      of('/srv/www', '/index.html'),
      of('/srv/ü,"x', '/sub/other/x', '/other/x'),
      { ...of('/srv', '/a.pdf'), fields: ['x-sent', 'yes'] },
    ]);
    assert.equal(await askShort(engine.catalog.handle, { method: 'POST', path: '/one' }), '404');
    assert.equal(
      await engine.value("omni_types.variant(t.send(omni_httpd.http_request('/')))"),
      'howdah.http_file',
    );
    await engine.sql('delete from t.static');
  });

  test('a role or setting that a handler left behind is gone for the next request', async () => {
    await engine.sql(`create role someone; create function t.changes() returns omni_httpd.http_outcome language plpgsql
      as $$ declare outcome omni_httpd.http_outcome := omni_httpd.http_response('changed');
        begin perform set_config('my.setting', 'leaked', false); set role someone; return outcome; end $$;
      create function t.who() returns omni_httpd.http_outcome language sql as
      $$ select omni_httpd.http_response(current_user || coalesce(current_setting('my.setting', true), '')) $$`);
    await engine.sql(`insert into omni_httpd.urlpattern_router (match, handler)
      values (omni_httpd.urlpattern('/changes'), 't.changes'::regproc), (omni_httpd.urlpattern('/who'), 't.who'::regproc)`);
    assert.equal(await get('/changes'), '200 changed');
    assert.equal(await get('/who'), '200 postgres');
  });

  test('a function dropped behind the back of the catalog makes a request look anew', async () => {
    await engine.sql(`create function t.fleeting() returns omni_httpd.http_outcome
      language sql return omni_httpd.http_response('here')`);
    await chain('fleeting');
    assert.equal(await get(), '200 here');
    await engine.sql('set event_triggers = off; drop function t.fleeting(); reset event_triggers');
    assert.equal(await get(), '404');
  });
});
