// Options of the HTTP engine with their defaults and where these come from. Limits of the protocols
// themselves are in protocol/http1/limits.ts and protocol/http2/options.ts.
import { DEFAULT_HTTP1_LIMITS, type Http1Limits } from '../protocol/http1/limits.ts';
import { DEFAULT_OPTIONS as DEFAULT_HTTP2_OPTIONS, type Http2Options } from '../protocol/http2/options.ts';

export interface ServerOptions {
  readonly http1: Http1Limits;
  readonly http2: Http2Options;
  /** HTTP/2: for the client's preface with its settings; then GOAWAY. Cowboy's preface_timeout. */
  readonly prefaceTimeoutMs: number;
  /** HTTP/2: for the acknowledgement of our settings, on a connection without streams; then GOAWAY SETTINGS_TIMEOUT. Cowboy's. */
  readonly settingsTimeoutMs: number;
  /** HTTP/2: from the GOAWAY that announces the end to the one that refuses streams, where no PING is answered. Cowboy's. */
  readonly goawayInitialTimeoutMs: number;
  /** HTTP/2: from the announcement to the reset of what is still not answered; Infinity leaves that to whoever drains. */
  readonly goawayCompleteTimeoutMs: number;
  /** From the first byte of a request to the end of its head; then 408. Cowboy's request_timeout. */
  readonly requestTimeoutMs: number;
  /** A connection between requests, or one that takes nothing of what is sent to it, is closed after this. Cowboy's. */
  readonly idleTimeoutMs: number;
  /**
   * When the server drains, a connection whose last request is not longer ago than this may send one more, which is answered
   * with `connection: close`: its client may have sent it already.
   */
  readonly drainIdleMs: number;
  /** A body that is waited for must come at this rate once bodyGraceMs have passed; then 408. Kestrel's default. */
  readonly minBodyBytesPerSecond: number;
  readonly bodyGraceMs: number;
  /** How long a connection that we close goes on reading, so that the last response is not lost to a reset. Cowboy's. */
  readonly lingerTimeoutMs: number;
  /** Requests on one connection, after which it is closed; Infinity for no limit. Cowboy's is 1000. */
  readonly maxKeepalive: number;
  /** An unread request body up to this is skipped so that the connection can be kept; a longer one closes it. Cowboy's. */
  readonly maxSkipBodyBytes: number;
  /** Bytes of output or unparsed input above which a connection hands on, or stops reading: one read of a socket. */
  readonly maxUnsentBytes: number;
  /** Value of the Server field; null sends none. */
  readonly serverName: string | null;
}

export const DEFAULT_SERVER_OPTIONS: ServerOptions = {
  http1: DEFAULT_HTTP1_LIMITS,
  http2: DEFAULT_HTTP2_OPTIONS,
  prefaceTimeoutMs: 5000,
  settingsTimeoutMs: 5000,
  goawayInitialTimeoutMs: 1000,
  goawayCompleteTimeoutMs: Number.POSITIVE_INFINITY,
  requestTimeoutMs: 5000,
  idleTimeoutMs: 60_000,
  drainIdleMs: 1000,
  minBodyBytesPerSecond: 240,
  bodyGraceMs: 5000,
  lingerTimeoutMs: 1000,
  maxKeepalive: 1000,
  maxSkipBodyBytes: 1_000_000,
  maxUnsentBytes: 65_536,
  serverName: 'howdah',
};
