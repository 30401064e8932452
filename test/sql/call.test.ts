// howdah.call(): the handlers that routers have for a request, run in the current transaction.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachDatabase, one, value } from './databases.ts';

const SCHEMA = `
  create schema calls;
  create table calls.seen (what text);
  create function calls.hello(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql as $$
    insert into calls.seen values (request.path);
    select omni_httpd.http_response(request.path || coalesce('?' || request.query_string, '') || coalesce(convert_from(request.body, 'UTF8'), ''));
  $$;
  create function calls.mark(request omni_httpd.http_request, inout outcome omni_httpd.http_outcome) language plpgsql as $$
  begin
    insert into calls.seen values ('middleware');
  end $$;
  create procedure calls.made(request omni_httpd.http_request, out outcome omni_httpd.http_outcome) language plpgsql as $$
  begin
    outcome := omni_httpd.http_response('procedure', status => 201);
  end $$;
  create table calls.router (like omni_httpd.urlpattern_router, like omni_httpd.router_priority);
  create function calls.named(request omni_httpd.http_request, name text, id int) returns omni_httpd.http_outcome language sql
    return omni_httpd.http_response(format('%s %s', name, id));
  insert into calls.router values
    (omni_httpd.urlpattern('/named/:id'), 'calls.named'::regproc, 1),
    (omni_httpd.urlpattern('/named/:name'), 'calls.named'::regproc, 0),
    (omni_httpd.urlpattern('/hello/:name', method => 'GET'), 'calls.hello'::regproc, 1),
    (omni_httpd.urlpattern('/hello/*'), 'calls.mark'::regproc, 2),
    (omni_httpd.urlpattern('/made', method => 'POST'), 'calls.made'::regproc, 1),
    (omni_httpd.urlpattern('/only', hostname => '*.example.com'), 'calls.hello'::regproc, 1);
  -- Where no event trigger tells of the new router.
  select howdah.poll_catalog();
`;

onEachDatabase((database) => {
  test('runs middleware and handler of a route, and a rollback leaves nothing of it', async () => {
    await database().exec(SCHEMA);
    await database().exec('begin');
    const found = await one(
      database(),
      `select convert_from((called.response).body, 'UTF8') as body, (called.response).status as status
       from (select howdah.call('GET', '/hello/you?q=1', body => 'x')::omni_httpd.http_response as response) called`,
    );
    assert.deepEqual(found, { body: '/hello/you?q=1x', status: 200 });
    assert.equal(
      await value(database(), "select string_agg(what, ' ' order by what) from calls.seen"),
      '/hello/you middleware',
    );
    await database().exec('rollback');
    assert.equal(await value(database(), 'select count(*)::int from calls.seen'), 0);
  });

  test('passes the groups of the pattern by their names', async () => {
    const body = (path: string): Promise<unknown> =>
      value(
        database(),
        `select convert_from((howdah.call('GET', '${path}')::omni_httpd.http_response).body, 'UTF8')`,
      );
    assert.equal(await body('/named/12'), ' 12');
    // It is no number, so the route does not match; the int of the next one is the listener.
    assert.match(String(await body('/named/x')), /^x \d+$/);
  });

  test('calls procedures, matches methods and hosts, and refuses what is no path', async () => {
    const status = (call: string): Promise<unknown> =>
      value(database(), `select (howdah.call(${call})::omni_httpd.http_response).status`);
    assert.equal(await status("'POST', '/made'"), 201);
    // What nothing matches goes to omni_httpd.handler, which has no handlers here, and fails.
    await assert.rejects(status("'GET', '/made'"));
    assert.equal(
      await status("'GET', '/only', array[omni_http.http_header('host', 'a.example.com:80')]"),
      200,
    );
    await assert.rejects(status("'GET', '/only', array[omni_http.http_header('host', 'example.org')]"));
    await assert.rejects(status("'GET', 'hello'"), /a path begins with \//);
  });

  test('patterns mean what URLPattern means by them', async () => {
    const patterns = [
      '/a',
      '/:x',
      '/:x?',
      '/a/*',
      '/a/:x+',
      '/a/:x*/b',
      '/n/:id(\\d+)',
      '/{b/}?c',
      '/a.b',
      '*',
      '/x\\:y',
      '/(a|b)',
      '/:x.json',
      '/n/:id(\\d+)/*',
      '/{:x/}?:y',
    ];
    const paths = [
      '/',
      '/a',
      '/b',
      '/a/',
      '/a/b',
      '/a/b/c',
      '/a/x/y/b',
      '/n/12',
      '/n/x',
      '/b/c',
      '/c',
      '/a.b',
      '/aXb',
      '/x:y',
      '/z.json',
    ];
    const sql = patterns.flatMap((pattern) => paths.map((path) => `('${pattern}', '${path}')`)).join(', ');
    const answers = JSON.parse(
      String(
        await value(
          database(),
          `select jsonb_object_agg(
             pattern || ' ' || path,
             case when path ~ ('^(?:' || howdah.pattern_regex(pattern, '/') || ')$')
               then howdah.pattern_groups(pattern, '/', path) end
           )::text
           from (values ${sql}) as case_of (pattern, path)`,
        ),
      ),
    ) as Record<string, Readonly<Record<string, string | null>> | null>;
    for (const pattern of patterns) {
      const native = new URLPattern({ pathname: pattern });
      for (const path of paths) {
        const expected = native.exec({ pathname: path })?.pathname.groups;
        const found = answers[`${pattern} ${path}`];
        assert.equal(found !== null, expected !== undefined, `${pattern} ${path}`);
        if (expected === undefined) continue;
        const groups = Object.entries(expected).map(([name, text]) => [name, text ?? null]);
        assert.deepEqual(found, Object.fromEntries(groups), `${pattern} ${path}`);
      }
    }
  });
});
