-- A chat whose whole server is SQL: the page at /chat, its WebSocket at /chat/socket, and the history in a table.
-- Try it with: howdah serve --sql examples/chat.sql   It may run at every start.   To be rid of it: drop schema chat cascade
create schema if not exists chat;

create table if not exists chat.member (
  socket uuid primary key,
  name text not null
);
create table if not exists chat.message (
  id int primary key generated always as identity,
  said_at timestamptz not null default now(),
  name text not null,
  message text not null check (length(message) between 1 and 1000)
);
-- Whoever was here when the server was last ended without a word has left.
truncate chat.member;

create or replace function chat.say_to_all(said chat.message) returns void
language sql
as $$
  select omni_httpd.websocket_send(socket, to_json(said)::text) from chat.member;
$$;

-- Decides: only our own page may open a socket, and only with a name.
create or replace function chat.enter(socket uuid, request omni_httpd.http_request) returns bool
language plpgsql
as $$
declare
  origin constant text := omni_http.http_header_get(request.headers, 'origin');
  host constant text := omni_http.http_header_get(request.headers, 'host');
  name constant text := substring(request.query_string from '^name=([[:alnum:]_-]{1,20})$');
begin
  if name is null or host is null or coalesce(origin not in ('http://' || host, 'https://' || host), true) then
    return false;
  end if;
  insert into chat.member values (socket, name);
  return true;
end;
$$;

-- The last messages, oldest first, and then the news for everybody.
create or replace function chat.greet(socket uuid) returns void
language plpgsql
as $$
begin
  perform omni_httpd.websocket_send(socket, to_json(last)::text)
  from (select * from (select * from chat.message order by id desc limit 20) as newest order by id) as last;
  perform omni_httpd.websocket_send(member.socket, json_build_object('joined', new.name)::text)
  from chat.member, chat.member as new
  where new.socket = greet.socket;
end;
$$;

create or replace function chat.say(socket uuid, data text) returns void
language plpgsql
as $$
declare
  said chat.message;
begin
  insert into chat.message (name, message)
  select name, data from chat.member where member.socket = say.socket
  returning * into said;
  perform chat.say_to_all(said);
end;
$$;

create or replace function chat.leave(socket uuid) returns void
language plpgsql
as $$
declare
  gone text;
begin
  delete from chat.member where member.socket = leave.socket returning name into gone;
  perform omni_httpd.websocket_send(member.socket, json_build_object('left', gone)::text) from chat.member;
end;
$$;

create or replace function chat.page(request omni_httpd.http_request) returns omni_httpd.http_outcome
language sql
as $outer$
  select omni_httpd.http_response(
    headers => array[omni_http.http_header('content-type', 'text/html; charset=utf-8')],
    body => $html$<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat</title>
<style>
  body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
  ol { list-style: none; padding: 0 }
  li b { margin-right: .5rem }
  li.note { color: #666 }
  form { display: flex; gap: .5rem }
  input { flex: 1; font: inherit }
</style>
<h1>Chat</h1>
<ol id="messages"></ol>
<form id="form"><input id="text" maxlength="1000" autocomplete="off" autofocus><button>Say</button></form>
<script>
  const name = (prompt('Your name, in letters and digits') ?? '').replaceAll(/[^\w-]/g, '').slice(0, 20) || 'guest';
  const list = document.getElementById('messages');
  const add = (who, what) => {
    const item = document.createElement('li');
    const label = document.createElement('b');
    label.textContent = who ?? '';
    if (who === null) item.className = 'note';
    item.append(label, what);
    list.append(item);
    item.scrollIntoView();
  };
  let socket;
  let last = 0;
  const connect = () => {
    socket = new WebSocket(`${location.origin.replace('http', 'ws')}/chat/socket?name=${name}`);
    socket.onmessage = ({ data }) => {
      const told = JSON.parse(data);
      if (told.joined) add(null, `${told.joined} is here`);
      else if (told.left) add(null, `${told.left} has left`);
      else if (told.id > last) {
        last = told.id;
        add(told.name, told.message);
      }
    };
    socket.onclose = () => setTimeout(connect, 1000);
  };
  document.getElementById('form').onsubmit = (event) => {
    event.preventDefault();
    const text = document.getElementById('text');
    if (text.value !== '' && socket.readyState === WebSocket.OPEN) {
      socket.send(text.value);
      text.value = '';
    }
  };
  connect();
</script>
$html$)
$outer$;

insert into omni_httpd.urlpattern_router (match, handler)
values (omni_httpd.urlpattern('/chat'), 'chat.page'::regproc)
on conflict do nothing;
insert into howdah.websocket_router (match, handler, on_open, on_message, on_close)
values (
  omni_httpd.urlpattern('/chat/socket'),
  'chat.enter'::regproc,
  'chat.greet'::regproc,
  'chat.say'::regproc,
  'chat.leave'::regproc
)
on conflict do nothing;
