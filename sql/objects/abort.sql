-- Ends the connection (HTTP/2: the stream) without an answer.
create or replace function omni_httpd.abort() returns omni_httpd.http_outcome
language sql immutable
return '\x01'::bytea::omni_httpd.http_outcome;
