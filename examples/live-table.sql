-- A live table: the page at /live-table shows the rows of live_table.task as they change, whoever changes them: another page, or
-- psql. Its whole server is SQL. Try it with: howdah serve --sql examples/live-table.sql   It may run at every start.   To be rid of
-- it: drop schema live_table cascade
create schema if not exists live_table;

create table if not exists live_table.task (
  id int primary key generated always as identity,
  title text not null check (length(title) between 1 and 200),
  done boolean not null default false
);

-- What changes is told when its transaction commits: the kind of change, and the row.
create or replace function live_table.tell() returns trigger
language plpgsql
as $$
begin
  perform howdah.publish('live_table.task', lower(tg_op), to_jsonb(case tg_op when 'DELETE' then old else new end));
  return null;
end;
$$;
create or replace trigger tell
  after insert or update or delete on live_table.task
  for each row execute function live_table.tell();

-- The stream of changes. A browser that lost its connection comes again by itself and gets what it has missed; the first time it
-- says the place that its page was made at.
create or replace function live_table.changes(request omni_httpd.http_request) returns omni_httpd.http_outcome
language sql stable
return howdah.event_stream('live_table.task', since => substring(request.query_string from '^since=([0-9a-f.]+)$'));

-- POST adds a row, PATCH changes one, DELETE takes one away.
create or replace function live_table.change(request omni_httpd.http_request) returns omni_httpd.http_outcome
language plpgsql
as $$
declare
  asked jsonb;
begin
  asked := convert_from(request.body, 'UTF8');
  case request.method
    when 'POST' then insert into live_table.task (title) values (asked ->> 'title');
    when 'PATCH' then update live_table.task set done = (asked ->> 'done')::boolean where id = (asked ->> 'id')::int;
    when 'DELETE' then delete from live_table.task where id = (asked ->> 'id')::int;
    else return omni_httpd.http_response(status => 405);
  end case;
  return omni_httpd.http_response(status => 204);
exception
  when check_violation or not_null_violation or invalid_text_representation then
    return omni_httpd.http_response(sqlerrm, status => 400);
end;
$$;

-- Rows and place are read by one statement, so that they fit together.
create or replace function live_table.page(request omni_httpd.http_request) returns omni_httpd.http_outcome
language sql stable
as $outer$
  select omni_httpd.http_response(
    headers => array[omni_http.http_header('content-type', 'text/html; charset=utf-8')],
    body => replace(
      $html$<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Live table</title>
<style>
  body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
  table { width: 100%; border-collapse: collapse }
  td { border-bottom: 1px solid #ddd; padding: .3rem }
  td:first-child, td:last-child { width: 2rem }
  tr.done td:nth-child(2) { color: #777; text-decoration: line-through }
  form { display: flex; gap: .5rem; margin-top: 1rem }
  input[type=text] { flex: 1; font: inherit }
</style>
<h1>Live table</h1>
<p>Open this page twice, or change <code>live_table.task</code> with SQL.</p>
<table><tbody id="tasks"></tbody></table>
<form id="form"><input type="text" id="title" maxlength="200" autocomplete="off" autofocus><button>Add</button></form>
<script type="application/json" id="state">{{state}}</script>
<script>
  const { tasks, place } = JSON.parse(document.getElementById('state').textContent);
  const body = document.getElementById('tasks');
  const send = (method, data) => fetch('/live-table/tasks', { method, body: JSON.stringify(data) });
  const show = ({ id, title, done }) => {
    let row = document.getElementById(`task-${id}`);
    if (row === null) {
      row = body.insertRow();
      row.id = `task-${id}`;
      const box = document.createElement('input');
      box.type = 'checkbox';
      box.onchange = () => send('PATCH', { id, done: box.checked });
      const remove = document.createElement('button');
      remove.textContent = '×';
      remove.onclick = () => send('DELETE', { id });
      row.insertCell().append(box);
      row.insertCell();
      row.insertCell().append(remove);
    }
    row.className = done ? 'done' : '';
    row.cells[0].firstChild.checked = done;
    row.cells[1].textContent = title;
  };
  tasks.forEach(show);
  const changes = new EventSource(`/live-table/changes?since=${place}`);
  changes.addEventListener('insert', ({ data }) => show(JSON.parse(data)));
  changes.addEventListener('update', ({ data }) => show(JSON.parse(data)));
  changes.addEventListener('delete', ({ data }) => document.getElementById(`task-${JSON.parse(data).id}`)?.remove());
  // Changes may be missing: it was away for too long.
  changes.addEventListener('reset', () => location.reload());
  document.getElementById('form').onsubmit = (event) => {
    event.preventDefault();
    const title = document.getElementById('title');
    if (title.value !== '') send('POST', { title: title.value });
    title.value = '';
  };
</script>
$html$,
      '{{state}}',
      -- A title may have a tag in it, which would end the script.
      replace(
        jsonb_build_object(
          'tasks', coalesce((select jsonb_agg(task order by id) from live_table.task), '[]'),
          'place', howdah.last_event_id()
        )::text,
        '<', '\u003c'
      )
    )
  )
$outer$;

insert into omni_httpd.urlpattern_router (match, handler)
values
  (omni_httpd.urlpattern('/live-table'), 'live_table.page'::regproc),
  (omni_httpd.urlpattern('/live-table/tasks'), 'live_table.change'::regproc),
  (omni_httpd.urlpattern('/live-table/changes'), 'live_table.changes'::regproc)
on conflict do nothing;
