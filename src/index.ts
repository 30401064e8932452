// The public TypeScript API: re-exports only.
export { serve } from './fleet/serve.ts';
export type { RunningServer, ServeOptions } from './fleet/serve.ts';
export type { GatewayAddress } from './database/gateway/gateway.ts';
export { ERRORS, HowdahError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { fanOut } from './observe/observation.ts';
export type { Observation, Observer } from './observe/observation.ts';
