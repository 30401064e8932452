-- The welcome page.
create or replace function omni_httpd.default_page(request omni_httpd.http_request) returns setof omni_httpd.http_outcome
language plpgsql stable
as $page$
declare
  facts constant text[] := array[
    'Database', current_database()::text,
    'PostgreSQL', version(),
    'Backends', (select numbackends::text from pg_catalog.pg_stat_database where datname = current_database()),
    'Committed transactions', (select xact_commit::text from pg_catalog.pg_stat_database where datname = current_database())
  ];
  listed text := '';
  examples text;
begin
  -- Of the directory examples/: each makes a page in a schema of its own.
  select string_agg(format('<a href="%s">%s</a>', path, title), ' · ' order by path)
  into examples
  from (values ('/chat', 'a chat', 'chat.page'), ('/live-table', 'a live table', 'live_table.page')) as known (path, title, page)
  where exists (
    select from omni_httpd.urlpattern_router as route
    where (route.match).pathname = known.path
      and route.handler = to_regprocedure(known.page || '(omni_httpd.http_request)')
  );
  for i in 1..cardinality(facts) by 2 loop
    listed := listed || format(
      '<dt>%s</dt><dd>%s</dd>',
      facts[i],
      -- The name of a database can be anything.
      replace(replace(replace(coalesce(facts[i + 1], 'unknown'), '&', '&amp;'), '<', '&lt;'), '>', '&gt;')
    );
  end loop;
  return next omni_httpd.http_response(
    replace(replace(
      $html$<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>howdah</title>
<style>
:root { color-scheme: light dark; --ink: #1d2530; --paper: #f6f4ef; --quiet: #6b7280; --line: #dcd8cf; --accent: #336791; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e5df; --paper: #14181d; --quiet: #9aa3ad; --line: #2b323a; --accent: #7fb2dd; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.02em; }
p { margin: 0 0 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.5rem; padding: 1.25rem 0; margin: 0 0 1.5rem;
  border: solid var(--line); border-width: 1px 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { padding: 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; font-size: .85rem; }
a { color: var(--accent); }
</style>
</head>
<body>
<main>
<h1>This database serves HTTP</h1>
<p>howdah is running, and nothing else answers this request yet. A route is a row:</p>
<pre><code>create function hello(request omni_httpd.http_request)
  returns omni_httpd.http_outcome
  return omni_httpd.http_response('Hello, world');

insert into omni_httpd.urlpattern_router (match, handler)
values (omni_httpd.urlpattern('/hello'), 'hello'::regproc);</code></pre>
<p>{{examples}}</p>
<dl>{{facts}}</dl>
<p><a href="https://www.postgresql.org/docs/">PostgreSQL documentation</a> ·
<a href="https://developer.mozilla.org/docs/Web/API/URL_Pattern_API">URL patterns</a></p>
</main>
</body>
</html>
$html$,
      '{{facts}}',
      listed
    ),
      '{{examples}}',
      coalesce(
        'Whole applications in SQL that run here: ' || examples,
        'Whole applications in SQL come along: <code>howdah serve --memory --examples</code> has a chat and a live table.'
      )
    ),
    headers => array[omni_http.http_header('content-type', 'text/html; charset=utf-8')]
  );
end;
$page$;
