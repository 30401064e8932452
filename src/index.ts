// The public TypeScript API: re-exports only.
export { serve } from './fleet/serve.ts';
export type { RunningServer, ServeOptions } from './fleet/serve.ts';
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
