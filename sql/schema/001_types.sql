-- Schemas, the types of omni_http and omni_httpd, and what makes and converts their values. No tables of routes.
create schema omni_types;
create schema omni_http;
create schema omni_httpd;

-- A type of one value. Its text form is empty.
create domain omni_types.unit as text check (value = '');
create function omni_types.unit() returns omni_types.unit language sql immutable
  return ''::omni_types.unit;

create type omni_http.http_method as enum
  ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH');
create type omni_http.http_header as (name text, value text);
create domain omni_http.http_headers as omni_http.http_header[];

create domain omni_httpd.port as integer check (value >= 0 and value <= 65535);
create type omni_httpd.http_protocol as enum ('http', 'https');
create domain omni_httpd.route_priority as int;

create type omni_httpd.http_request as (
  method omni_http.http_method,
  path text,
  query_string text,
  body bytea,
  headers omni_http.http_headers
);
create type omni_httpd.http_response as (
  body bytea,
  status smallint,
  headers omni_http.http_headers
);
create type omni_httpd.http_proxy as (
  url text,
  preserve_host boolean
);
create domain omni_httpd.abort as omni_types.unit;

create type omni_httpd.urlpattern as (
  protocol text,
  username text,
  password text,
  hostname text,
  port int,
  pathname text,
  search text,
  hash text,
  method omni_http.http_method
);

-- What a handler answers: one of http_response, abort, http_proxy.
--
-- It has to act as a scalar in PL/pgSQL (`select … into outcome`), which a composite does not, and to be converted from and
-- to http_response by assignment, also where the installer may not create a base type. So it is a domain over bytea:
-- PostgreSQL ignores casts on a domain but looks at those of its base type, and whoever owns http_response may create
-- a cast between it and bytea.
--
-- Encoding (integers big-endian):
--   00  http_response:  int16 status (8000 hex: null)
--                       headers: ffffffff for null, else what array_send gives for http_header[]: int32 dimensions,
--                         int32 flags, int32 OID; per dimension int32 length, int32 lower bound; per element int32
--                         length (ffffffff: null), and in it int32 2 and twice int32 OID, int32 length (ffffffff: null), text
--                       nothing for a null body, else one byte that says what it is, and the body up to the end:
--                         01 bytes, as they are      02 text: text/plain; charset=utf-8
--                         03 application/octet-stream  04 application/json
--                       02 to 04 ask for this content-type to be appended, unless a header has that name (in any case).
--   01  abort
--   02  http_proxy:     one byte for preserve_host: 00 false, 01 true, 02 null
--                       nothing for a null url, else 01 and the url up to the end
-- Text is in the client's encoding: UTF-8 in every session that serves. The OIDs are ignored: they may be those of
-- another database after a restore. Dimensions beyond one are flattened.
--
-- The content-type is left to the reader because http_response() is then an expression that PostgreSQL inlines into its
-- caller, whatever the body is (an argument that is used twice may be neither volatile nor costly).
--
-- Measured in a loop, µs for a text of 11 bytes / of 100 KB, least of seven runs:
--                                          PostgreSQL 15     PostgreSQL 18     PGlite
--   textsend(body) alone                    0.20 / 9          0.19 / 7          0.30 / 5
--   this encoding, inlined                  0.18 / 11         0.22 / 15         0.40 / 12
--   record_send(row(…)), inlined            0.45 / 12         0.43 / 15         0.75 / 14
--   record_send(row(…)) in PL/pgSQL         1.3               0.9               1.8
-- Over a socket, a body of 100 KB from a row, µs a call, least of nine runs of 200:
--   select body                             390               330
--   select http_response(body)              500               460
--   from a handler in SQL / in PL/pgSQL     690 / 450         410 / 490
create domain omni_httpd.http_outcome as bytea;

\ir ../objects/http_header.sql
\ir ../objects/http_header_get_all.sql
\ir ../objects/http_header_get.sql
\ir ../objects/http_request.sql
\ir ../objects/urlpattern.sql
\ir ../objects/http_outcome_response.sql
\ir ../objects/http_outcome_proxy.sql
\ir ../objects/http_outcome_abort.sql
\ir ../objects/http_response.sql
\ir ../objects/http_proxy.sql
\ir ../objects/abort.sql

create cast (omni_httpd.http_response as bytea)
  with function omni_httpd.http_outcome_from_http_response(omni_httpd.http_response) as assignment;
create cast (bytea as omni_httpd.http_response)
  with function omni_httpd.http_response_from_http_outcome(bytea) as assignment;
create cast (omni_httpd.http_proxy as bytea)
  with function omni_httpd.http_outcome_from_http_proxy(omni_httpd.http_proxy) as assignment;
create cast (bytea as omni_httpd.http_proxy)
  with function omni_httpd.http_proxy_from_http_outcome(bytea) as assignment;

\ir ../objects/variant.sql
\ir ../objects/http_outcome_equality.sql

create operator omni_httpd.= (
  leftarg = omni_httpd.http_outcome, rightarg = omni_httpd.http_outcome, function = omni_httpd.http_outcome_eq,
  commutator = operator(omni_httpd.=), negator = operator(omni_httpd.<>)
);
create operator omni_httpd.<> (
  leftarg = omni_httpd.http_outcome, rightarg = omni_httpd.http_outcome, function = omni_httpd.http_outcome_ne,
  commutator = operator(omni_httpd.<>), negator = operator(omni_httpd.=)
);

-- The variants of each sum type, in the order of their discriminants.
create table omni_types.sum_types (
  typ regtype primary key,
  variants regtype[]
);
insert into omni_types.sum_types (typ, variants) values
  ('omni_httpd.http_outcome', array['omni_httpd.http_response', 'omni_httpd.abort', 'omni_httpd.http_proxy']::regtype[]);
