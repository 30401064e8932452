// The limits of the WebSocket machine and their defaults. Times (idle, closing) and unsent bytes belong to the driver.

/** All are whole numbers; what goes over one by a single byte or element fails the connection. */
export interface WebSocketLimits {
  /** Bytes of one frame's payload, as sent. More: 1009. Default 1 048 576. */
  readonly maxFrameBytes: number;
  /** Bytes of one message, both as sent and as inflated; at most MAX_TEXT_BYTES. More: 1009. Default 1 048 576. */
  readonly maxMessageBytes: number;
  /** Frames of one message, empty ones too. More: 1008. Default 16 384. */
  readonly maxFragments: number;
  /**
   * A compressed message may inflate to so many times the bytes received of it (and to FREE_INFLATED_BYTES in any case).
   * More: 1009. Default 200.
   */
  readonly maxInflateRatio: number;
}

/**
 * Sources. Frame and message: the default of the `websockets` package for Python. Fragments: a message of
 * maxMessageBytes in frames of 64 bytes, the smallest that the Autobahn suite uses; a bound is needed because empty fragments never
 * add to the message. Ratio: DeflateInflateRatioLimit of Apache's mod_deflate.
 */
export const DEFAULT_WEBSOCKET_LIMITS: WebSocketLimits = Object.freeze({
  maxFrameBytes: 1_048_576,
  maxMessageBytes: 1_048_576,
  maxFragments: 16_384,
  maxInflateRatio: 200,
});

/** V8's longest string (2^29 - 24 characters): a text message becomes one. */
export const MAX_TEXT_BYTES = 536_870_888;

/** Small messages may be as repetitive as they like: a ratio says nothing about them. */
export const FREE_INFLATED_BYTES = 65_536;

/** Throws a RangeError for limits that make no sense: these are ours, not the peer's. */
export function assertLimits(limits: WebSocketLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    const most = name === 'maxMessageBytes' ? MAX_TEXT_BYTES : Number.MAX_SAFE_INTEGER;
    if (!(value >= 1 && value <= most)) throw new RangeError(`${name} must be from 1 to ${most}`);
  }
}
