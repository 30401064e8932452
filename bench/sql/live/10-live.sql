-- A stream of events, the same over a WebSocket, and a handler that publishes one.
create function live_stream(request omni_httpd.http_request) returns omni_httpd.http_outcome
  language sql stable return howdah.event_stream('live');
create function live_publish(request omni_httpd.http_request) returns omni_httpd.http_outcome language plpgsql as $$
begin
  perform howdah.publish('live', null, request.query_string);
  return omni_httpd.http_response(status => 204);
end $$;
insert into omni_httpd.urlpattern_router (match, handler) values
  (omni_httpd.urlpattern('/stream'), 'live_stream'::regproc),
  (omni_httpd.urlpattern('/publish'), 'live_publish'::regproc);
insert into howdah.websocket_router (match, handler) values (omni_httpd.urlpattern('/socket'), 'live_stream'::regproc);
