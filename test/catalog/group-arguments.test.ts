// Groups of a route's pattern as arguments of a handler in SQL, by their names.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openEngine, type Engine } from './engine.ts';
import { ask, askShort } from './fake-exchange.ts';

const SETUP = `
create schema t;
create or replace procedure omni_httpd.handler(int, omni_httpd.http_request, out omni_httpd.http_outcome)
  language plpgsql as $$ begin $3 := omni_httpd.http_response(status => 404); end $$;
create domain t.slug as text check (value ~ '^[a-z-]+$');
create type t.colour as enum ('red', 'green');
create table t.router (like omni_httpd.urlpattern_router, priority omni_httpd.route_priority);
create table t.seen (n int);

create function t.texts(request omni_httpd.http_request, name text, other text, missing text) returns omni_httpd.http_outcome
  language sql as $$ select omni_httpd.http_response(jsonb_build_array(name, other, missing)) $$;
create function t.number(request omni_httpd.http_request, id int) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response(id::text);
create function t.small(id smallint) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response(id::text);
create function t.large(id bigint) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response(id::text);
create function t.unique_id(id uuid) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response(id::text);
create function t.day(day date) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response(to_char(day, 'FMDay'));
create function t.slug(name t.slug) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response('slug ' || name);
create function t.colour(name t.colour) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response('colour ' || name);
create function t.fails(id int) returns omni_httpd.http_outcome
  language plpgsql as $$ begin return omni_httpd.http_response(('x' || id)::int::text); end $$;
create function t.listener(port int, id int) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response(format('%s %s', port, id));
create function t.rest(request omni_httpd.http_request, "0" text) returns omni_httpd.http_outcome
  language sql return omni_httpd.http_response("0");
create function t.mark(id int, inout outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  outcome := omni_httpd.http_response(format('[%s %s]', id, convert_from((outcome::omni_httpd.http_response).body, 'utf8')));
end $$;
create function t.count(id int) returns omni_httpd.http_outcome
  language sql volatile as $$ insert into t.seen values (id); select omni_httpd.http_response('counted') $$;
create function t.after(id int, inout outcome omni_httpd.http_outcome) language plpgsql stable as $$
begin
  outcome := omni_httpd.http_response(format('%s seen of %s', (select count(*) from t.seen), id));
end $$;
create procedure t.commits(request omni_httpd.http_request, id int, out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  commit;
  outcome := omni_httpd.http_response('committed ' || id);
end $$;
`;

describe('groups of the pattern', () => {
  let engine: Engine;

  before(async () => {
    engine = await openEngine();
    await engine.sql(SETUP);
    await engine.sql('select howdah.discover_routers()');
  });
  after(() => engine.close());
  beforeEach(() => engine.sql('truncate t.router, t.seen'));

  /** Routes of method, pattern and handler, the first with the highest priority. */
  async function routes(...pairs: readonly (readonly [pattern: string, handler: string])[]): Promise<void> {
    const rows = pairs.map(
      ([pattern, handler], i) => `(omni_httpd.urlpattern('${pattern}'), 't.${handler}'::regproc, ${100 - i})`,
    );
    await engine.sql(`insert into t.router (match, handler, priority) values ${rows.join(', ')}`);
  }
  const get = (path: string): Promise<string> => askShort(engine.catalog.handle, { path });

  test('are the arguments of their names, decoded; null where there is none', async () => {
    await routes(['/a/:name/:other', 'texts'], ['/b/:name/:other?', 'texts']);
    assert.equal(await get('/a/one/two'), '200 ["one", "two", null]');
    assert.equal(await get('/a/%C5%BC%20%2F%26/%25'), '200 ["ż /&", "%", null]');
    assert.equal(await get('/b/one'), '200 ["one", null, null]');
  });

  test('have the types of whole numbers and UUIDs, or the route does not match', async () => {
    await routes(
      ['/int/:id', 'number'],
      ['/small/:id', 'small'],
      ['/large/:id', 'large'],
      ['/uuid/:id', 'unique_id'],
      ['/int/:name', 'texts'],
    );
    assert.equal(await get('/int/12'), '200 12');
    assert.equal(await get('/int/-2147483648'), '200 -2147483648');
    // Goes on to the next route.
    assert.equal(await get('/int/2147483648'), '200 ["2147483648", null, null]');
    assert.equal(await get('/int/1e3'), '200 ["1e3", null, null]');
    assert.equal(await get('/int/%00'), 'fail 400');
    assert.equal(await get('/small/32767'), '200 32767');
    assert.equal(await get('/small/32768'), '404');
    assert.equal(await get('/large/9223372036854775807'), '200 9223372036854775807');
    assert.equal(await get('/large/9223372036854775808'), '404');
    const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
    assert.equal(await get(`/uuid/${uuid.toUpperCase()}`), `200 ${uuid}`);
    assert.equal(await get('/uuid/0f8fad5b'), '404');
  });

  test('have any other type, and what PostgreSQL cannot convert is not found', async () => {
    await routes(
      ['/day/:day', 'day'],
      ['/slug/:name', 'slug'],
      ['/colour/:name', 'colour'],
      ['/fails/:id', 'fails'],
    );
    assert.equal(await get('/day/2026-11-25'), '200 Wednesday');
    assert.equal(await get('/day/2026-13-01'), 'fail 404');
    assert.equal(await get('/slug/water-the-elephant'), '200 slug water-the-elephant');
    assert.equal(await get('/slug/Water'), 'fail 404');
    assert.equal(await get('/colour/red'), '200 colour red');
    assert.equal(await get('/colour/blue'), 'fail 404');
    // What fails in the handler is the handler's failure.
    engine.observations.length = 0;
    assert.equal(await get('/fails/1'), 'fail 500');
    assert.ok(engine.observations.some(({ kind }) => kind === 'handler-failed'));
  });

  test('go before the listener where the name is theirs', async () => {
    await routes(['/own/:id', 'listener'], ['/both/:port/:id', 'listener']);
    assert.equal(await askShort(engine.catalog.handle, { path: '/both/1/2', listenerId: 17 }), '200 1 2');
    // The last int is the listener's, but for its name.
    assert.equal(await askShort(engine.catalog.handle, { path: '/own/2', listenerId: 17 }), '200  2');
  });

  test('are those of the host and the query, too, and what an asterisk stands for is "0"', async () => {
    await engine.sql(`insert into t.router (match, handler, priority) values
      (omni_httpd.urlpattern('/here', hostname => ':name.example.com', search => 'x=:other'), 't.texts'::regproc, 1),
      (omni_httpd.urlpattern('/rest/*'), 't.rest'::regproc, 1)`);
    const answer = await ask(engine.catalog.handle, {
      path: '/here',
      authority: 'one.example.com',
      query: 'x=a%20b',
    });
    assert.ok(answer.kind === 'response');
    assert.equal(answer.body, '["one", "a b", null]');
    assert.equal(await get('/rest/a/b%20c'), '200 a/b c');
  });

  test('reach middleware, procedures, and what is called afresh, each from its own pattern', async () => {
    await routes(['/n/:id', 'count'], ['/:x/:id', 'after'], ['/*', 'mark']);
    // `mark` has no group of that name, so its int is the listener.
    assert.equal(
      await askShort(engine.catalog.handle, { path: '/n/5', listenerId: 3 }),
      '200 [3 1 seen of 5]',
    );
    await engine.sql('truncate t.router');
    await routes(['/p/:id', 'commits'], ['/p/:id', 'mark']);
    assert.equal(await get('/p/7'), '200 [7 committed 7]');
    assert.equal(await get('/p/x'), '404');
  });
});
