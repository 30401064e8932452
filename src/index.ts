// The public TypeScript API: re-exports only.
export { application } from './web/define-application.ts';
export type { ApplicationConfig, ApplicationListener } from './web/define-application.ts';
export { serve } from './fleet/serve-application.ts';
export type { ServerInProcess, ServeSettings } from './fleet/serve-application.ts';
export type { RunningServer } from './fleet/serve-options.ts';
export type { GatewayAddress } from './database/gateway/gateway.ts';
export { ERRORS, HowdahError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { fanOut } from './observe/observation.ts';
export type { Observation, Observer } from './observe/observation.ts';
export { route, middleware } from './web/route.ts';
export type { Route, RouteOptions, Target } from './web/route.ts';
export type { BindingsOf } from './web/route-pattern.ts';
export { int, nonempty } from './web/constraint.ts';
export type { Constraint, Constraints } from './web/constraint.ts';
export type {
  AnyBindings,
  Context,
  FetchApplication,
  Handler,
  Middleware,
  Next,
  RouteTarget,
} from './web/handler.ts';
export type { Endpoint, Exchange } from './web/exchange.ts';
export type { SqlClient, SqlRow, SqlText, TransactionOptions } from './web/sql-client.ts';
export { sql } from './catalog/sql-template.ts';
export { SqlFailure } from './database/exchange-result.ts';
export { json } from './database/values.ts';
export { compress } from './server/compress.ts';
export type { CompressOptions, ResponseHead } from './server/compress.ts';
export { decompress } from './server/decompress.ts';
export type { DecompressOptions } from './server/decompress.ts';
export { metrics } from './server/metrics.ts';
export type { MetricsOptions, StreamMetrics } from './server/metrics.ts';
export { tracer } from './server/tracer.ts';
export type { TraceEvent, TracerOptions } from './server/tracer.ts';
export type { Command, Commands, CompressionChoice } from './server/command.ts';
export { DRAINED, DRAINING } from './server/stream-handler.ts';
export type {
  ConnectionInfo,
  StreamEnd,
  StreamHandle,
  StreamHandler,
  StreamHandlerFactory,
} from './server/stream-handler.ts';
export { staticFiles } from './web/files/static-files.ts';
export type { StaticOptions } from './web/files/static-files.ts';
export { websocket } from './web/websocket-route.ts';
export type {
  Acceptance,
  LiveSocket,
  WebSocketRouteOptions,
  WebSocketTarget,
} from './web/websocket-route.ts';
export type { AllowedOrigins } from './web/origin-check.ts';
export type { WebSocketOptions } from './server/websocket-options.ts';
export { sse } from './web/sse.ts';
export type { SseHandler, SseOptions, SseStream } from './web/sse.ts';
export type { ServerSentEvent } from './web/server-sent-event.ts';
export type { Events, EventSubscription, LiveEvent, SubscribeOptions } from './web/events.ts';
export { rest } from './web/rest/rest.ts';
export type {
  Accepted,
  RestBody,
  RestCallback,
  RestResource,
  RestSelection,
  RetryAfter,
} from './web/rest/rest.ts';
export { matchCookies, matchQuery, readCookies, writeQuery } from './web/matching.ts';
export type { Expected, ExpectedValue, Matched } from './web/matching.ts';
export { deleteCookie, setCookie } from './web/set-cookie.ts';
export type { CookieAttributes } from './web/set-cookie.ts';
export { parseField, parseStructured } from './web/request-fields.ts';
export type { ParsedField, ParsedFieldName } from './web/request-fields.ts';
export { readBytes, readForm, readJson } from './web/read-body.ts';
export type { ReadOptions } from './web/read-body.ts';
export { multipart } from './web/multipart.ts';
export type { MultipartOptions, Part, Progress, SaveOptions } from './web/multipart.ts';
export { fileResponse } from './web/files/file-response.ts';
export type { FileResponseOptions } from './web/files/file-response.ts';
