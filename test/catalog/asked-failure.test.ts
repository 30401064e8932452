// Failures that SQL asks for with a status: howdah.fail(), or SQLSTATE PT400 to PT599.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { application, route, serve, sql, type RunningServer } from '../../src/index.ts';

const SCHEMA = `
create table note (id int primary key, text text not null);
create function note_by_id(id int) returns omni_httpd.http_outcome language sql volatile as $$
  insert into note values (id, 'rolled back') on conflict do nothing;
  select coalesce(
    (select omni_httpd.http_response(text) from note where note.id = note_by_id.id and text <> 'rolled back'),
    howdah.fail(404, 'no such note')
  )
$$;
create function add_note(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql as $$
  insert into note select (body ->> 'id')::int, body ->> 'text' from (select howdah.body_json(request)) as given (body);
  select howdah.redirect('/notes/' || (howdah.body_json(request) ->> 'id'))
$$;
create function unlucky(status int) returns omni_httpd.http_outcome language plpgsql as $$
begin
  return howdah.fail(status);
end $$;
create function cast_body(request omni_httpd.http_request) returns omni_httpd.http_outcome language sql as $$
  select omni_httpd.http_response(json_typeof(convert_from(request.body, 'UTF8')::json))
$$;
create procedure committed(out outcome omni_httpd.http_outcome) language plpgsql as $$
begin
  insert into note values (7, 'kept');
  commit;
  raise exception using errcode = 'PT409', message = 'too late';
end $$;
insert into omni_httpd.urlpattern_router (match, handler) values
  (omni_httpd.urlpattern('/notes/:id', method => 'GET'), 'note_by_id'::regproc),
  (omni_httpd.urlpattern('/notes', method => 'POST'), 'add_note'::regproc),
  (omni_httpd.urlpattern('/cast'), 'cast_body'::regproc),
  (omni_httpd.urlpattern('/unlucky/:status'), 'unlucky'::regproc),
  (omni_httpd.urlpattern('/committed'), 'committed'::regproc);
`;

describe('a failure with a status', () => {
  let server: RunningServer;
  const failures: string[] = [];
  const losses: string[] = [];

  before(async () => {
    const app = application({
      routes: [
        route('GET /ts', async (_request, { db }) =>
          Response.json(await db`select howdah.fail(410, 'gone')`),
        ),
        route('GET /sql', sql`select howdah.fail(418, 'short and stout')`),
      ],
    });
    server = await serve(app, {
      memory: true,
      listen: { host: '127.0.0.1', port: 0 },
      observer: {
        observe(seen) {
          if (seen.kind === 'handler-failed') failures.push(seen.message);
          if (seen.kind === 'session-lost') losses.push(seen.reason);
        },
      },
    });
    await server.runScript?.(SCHEMA);
  });
  after(() => server.close(1000));

  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const response = await server.inject?.(path, init);
    return `${response?.status} ${await response?.text()}`;
  };

  test('is answered with its message, rolled back, and no failure of the handler', async () => {
    assert.equal(await ask('/notes/1'), '404 no such note\n');
    assert.deepEqual(await server.query?.('select count(*) from note'), [['0']]);
    assert.equal(await ask('/ts'), '410 gone\n');
    assert.equal(await ask('/sql'), '418 short and stout\n');
    assert.equal(
      await ask('/notes', { method: 'POST', body: '{"id": 1' }),
      '400 the body is not valid JSON\n',
    );
    assert.deepEqual(failures, []);
    const response = await server.inject?.('/notes', { method: 'POST', body: '{"id": 1, "text": "x"}' });
    assert.equal(response?.status, 303);
    assert.equal(response?.headers.get('location'), '/notes/1');
    assert.equal(await ask('/notes/1'), '200 x');
  });

  test('JSON that is nested too deep is a bad request, an error where the handler takes it as it is, and no end of the engine', async () => {
    failures.length = 0;
    const body = '['.repeat(600_000);
    assert.equal(await ask('/notes', { method: 'POST', body }), '400 the body is nested too deep\n');
    assert.deepEqual(failures, []);
    assert.match(await ask('/cast', { method: 'POST', body }), /^500 /);
    assert.match(failures.join(), /54001|stack depth limit exceeded/);
    failures.length = 0;
    assert.equal(await ask('/cast', { method: 'POST', body: '[[]]' }), '200 array');
    assert.deepEqual(losses, []);
  });

  test('without a message is answered as usual for its status; from 500 on it is logged', async () => {
    assert.match(await ask('/unlucky/403'), /^403 403 Forbidden\n/);
    assert.deepEqual(failures, []);
    assert.match(await ask('/unlucky/503'), /^503 503 Service Unavailable\n/);
    assert.equal(failures.length, 1);
    // No status of a failure: an error of the handler.
    assert.match(await ask('/unlucky/200'), /^500 /);
    assert.equal(failures.length, 2);
  });

  test('keeps what a procedure has committed', async () => {
    assert.equal(await ask('/committed'), '409 too late\n');
    assert.equal(await ask('/notes/7'), '200 kept');
  });
});
