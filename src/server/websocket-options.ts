// What a WebSocket application may choose: limits, times and compression, with their defaults and where these come from.
import { DEFAULT_WEBSOCKET_LIMITS, type WebSocketLimits } from '../protocol/websocket/limits.ts';
import { DEFAULT_DEFLATE_POLICY, type DeflatePolicy } from '../protocol/websocket/permessage-deflate.ts';
import { DEFAULT_SENDER_OPTIONS, type WebSocketSenderOptions } from '../protocol/websocket/sender.ts';
import { DEFAULT_DEFLATE_OPTIONS, type DeflateOptions } from './websocket-deflate.ts';

/** Limits and times of WebSockets. */
export interface WebSocketOptions {
  readonly limits: WebSocketLimits;
  readonly sending: WebSocketSenderOptions;
  /** null: messages are never compressed. */
  readonly deflatePolicy: DeflatePolicy | null;
  readonly deflate: DeflateOptions;
  /** A client that has been silent for so long is sent a ping. 0: none is sent. */
  readonly pingIntervalMs: number;
  /** A client that has been silent for so long, pings notwithstanding, is given up with 1011. */
  readonly idleTimeoutMs: number;
  /** How long the client may take to answer a close frame. */
  readonly closeTimeoutMs: number;
  /** Bytes that may wait for the client; a message that would go beyond is not sent, and `slowClient` applies. */
  readonly maxUnsentBytes: number;
  /** What becomes of a client that does not keep up: `close` ends it with 1013, `drop` leaves the message out. */
  readonly slowClient: 'close' | 'drop';
}

/** By what was given: connections of one application share their options. */
const known = new WeakMap<object, WebSocketOptions>();

/** Options with defaults for what is not given. Made once for each object, which is not to be changed afterwards. */
export function webSocketOptions(given: Partial<WebSocketOptions>): WebSocketOptions {
  let options = known.get(given);
  if (options === undefined) {
    options = Object.freeze({ ...DEFAULT_WEBSOCKET_OPTIONS, ...given });
    known.set(given, options);
  }
  return options;
}

/**
 * Sources. pingIntervalMs, closeTimeoutMs: the `websockets` package for Python (20 s, 10 s). idleTimeoutMs: Cowboy's
 * idle_timeout. maxUnsentBytes: one message of the largest size.
 */
export const DEFAULT_WEBSOCKET_OPTIONS: WebSocketOptions = Object.freeze({
  limits: DEFAULT_WEBSOCKET_LIMITS,
  sending: DEFAULT_SENDER_OPTIONS,
  deflatePolicy: DEFAULT_DEFLATE_POLICY,
  deflate: DEFAULT_DEFLATE_OPTIONS,
  pingIntervalMs: 20_000,
  idleTimeoutMs: 60_000,
  closeTimeoutMs: 10_000,
  maxUnsentBytes: 1_048_576,
  slowClient: 'close',
});
