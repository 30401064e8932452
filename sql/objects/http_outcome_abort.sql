-- http_outcome from and to its variant abort.

create or replace function omni_httpd.http_outcome_from_abort(abort omni_httpd.abort) returns omni_httpd.http_outcome
language sql stable strict
return '\x01'::bytea::omni_httpd.http_outcome;

-- null for another variant.
create or replace function omni_httpd.abort_from_http_outcome(outcome omni_httpd.http_outcome) returns omni_httpd.abort
language sql stable strict
return case get_byte(outcome, 0) when 1 then omni_types.unit()::omni_httpd.abort end;
