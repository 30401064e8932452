// Limits and budgets of an HTTP/2 connection: names, defaults, sources. Times are the driver's, which has the clock.
import { MAX_WINDOW_BYTES } from './flow-window.ts';
import { MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES } from './frames/frame.ts';

export interface Http2Options {
  /** Streams that the peer may have open at once; more are refused (RFC 9113 §5.1.2, which recommends 100 or more). */
  readonly maxConcurrentStreams: number;
  /** Size of the peer's HPACK table, octets (RFC 7541 §4.2). */
  readonly maxDecodeTableBytes: number;
  /** Size of our HPACK table, octets, where the peer allows as much. */
  readonly maxEncodeTableBytes: number;
  /** Largest frame payload received, octets: 16 384 to 16 777 215 (RFC 9113 §4.2). Larger: FRAME_SIZE_ERROR. */
  readonly maxFrameBytesReceived: number;
  /** Largest frame payload sent, octets, where the peer allows as much. */
  readonly maxFrameBytesSent: number;
  /** Octets of one header block over all its frames (CVE-2024-27316). More: ENHANCE_YOUR_CALM. */
  readonly maxFragmentedHeaderBlockBytes: number;
  /** CONTINUATION frames of one header block (CVE-2024-27316). More: ENHANCE_YOUR_CALM. */
  readonly maxContinuationFrames: number;
  /** Decoded size of a head, octets as RFC 9113 §6.5.2 counts them (HPACK bombs). More: 431. */
  readonly maxHeaderListBytes: number;
  /** Field lines of a head. More: 431. */
  readonly maxHeaders: number;
  /** Octets of `:path`. More: 414. */
  readonly maxPathBytes: number;
  /** Receive window of a stream at its beginning, octets. */
  readonly initialStreamWindowBytes: number;
  /** What it may grow to where the reader keeps up. Bounds what the peer can make us hold of one stream. */
  readonly maxStreamWindowBytes: number;
  /** Receive window of the connection at its beginning, octets: 65 535 or more. */
  readonly initialConnectionWindowBytes: number;
  /** What it may grow to. Bounds what the peer can make us hold. */
  readonly maxConnectionWindowBytes: number;
  /** Octets of a stream that wait to be sent, at which its sender is asked to wait. */
  readonly maxStreamBufferBytes: number;
  /** The same for all streams of the connection together. */
  readonly maxConnectionBufferBytes: number;
  /** Octets gathered for one write, after which bodies wait for the next. */
  readonly maxGatheredBytes: number;
  /** Whether extended CONNECT is offered (RFC 8441). */
  readonly enableConnectProtocol: boolean;
  /** Pushed streams open at once, where the peer allows as many. */
  readonly maxPushedStreams: number;
  /** Settings in one SETTINGS frame. More: ENHANCE_YOUR_CALM. */
  readonly maxSettings: number;
  /** Budget of streams that the peer cancels (CVE-2023-44487); an answered request earns one back. */
  readonly cancelBudget: number;
  /** Budget of streams that the peer makes us reset (CVE-2025-8671); an answered request earns one back. */
  readonly provokedResetBudget: number;
  /** Budget of DATA frames without data or end (CVE-2019-9518); one with data earns one back. */
  readonly emptyDataBudget: number;
  /** Budget of PING frames (CVE-2019-9512); an answered request earns one back. */
  readonly pingBudget: number;
  /** Budget of SETTINGS frames (CVE-2019-9515); an answered request earns one back. */
  readonly settingsBudget: number;
  /** Budget of WINDOW_UPDATE frames (CVE-2019-9511); a DATA frame sent that they did not cut small earns two back. */
  readonly windowUpdateBudget: number;
  /** Budget of PRIORITY and PRIORITY_UPDATE frames (CVE-2019-9513); an answered request earns some back. */
  readonly priorityBudget: number;
  /**
   * Budget of frames that are of no use: of unknown types, GOAWAY, acknowledgements of PING, HEADERS and empty DATA on streams that
   * we have reset; an answered request earns one back.
   */
  readonly unknownFrameBudget: number;
  /** How long the body of a stream may wait for the peer's windows without moving, by `tick`; 0: for ever. */
  readonly stalledTimeoutMs: number;
}

/** The numbers of the field where it agrees on some, else what browsers and nghttp2 need with room to spare. */
export const DEFAULT_OPTIONS: Http2Options = Object.freeze({
  maxConcurrentStreams: 100,
  maxDecodeTableBytes: 4096,
  maxEncodeTableBytes: 4096,
  maxFrameBytesReceived: MIN_MAX_FRAME_BYTES,
  maxFrameBytesSent: MIN_MAX_FRAME_BYTES,
  maxFragmentedHeaderBlockBytes: 32_768,
  maxContinuationFrames: 32,
  maxHeaderListBytes: 32_768,
  maxHeaders: 100,
  maxPathBytes: 8000,
  initialStreamWindowBytes: 65_535,
  maxStreamWindowBytes: 1_048_576,
  initialConnectionWindowBytes: 1_048_576,
  maxConnectionWindowBytes: 16_777_216,
  maxStreamBufferBytes: 8_388_608,
  maxConnectionBufferBytes: 16_777_216,
  maxGatheredBytes: 262_144,
  enableConnectProtocol: true,
  maxPushedStreams: 100,
  maxSettings: 32,
  cancelBudget: 200,
  provokedResetBudget: 200,
  emptyDataBudget: 100,
  pingBudget: 200,
  settingsBudget: 50,
  windowUpdateBudget: 1000,
  priorityBudget: 500,
  unknownFrameBudget: 500,
  stalledTimeoutMs: 60_000,
});

const MAX_UINT32 = 0xffffffff;

/** The values that options may have, where it is not any number from 0: those that go out as settings fit into their field. */
const BOUNDS: Partial<Record<keyof Http2Options, readonly [min: number, max: number]>> = {
  maxConcurrentStreams: [0, MAX_UINT32],
  maxHeaderListBytes: [0, MAX_UINT32],
  maxDecodeTableBytes: [0, MAX_UINT32],
  maxFrameBytesReceived: [MIN_MAX_FRAME_BYTES, MAX_MAX_FRAME_BYTES],
  maxFrameBytesSent: [MIN_MAX_FRAME_BYTES, MAX_MAX_FRAME_BYTES],
  initialStreamWindowBytes: [0, MAX_WINDOW_BYTES],
  initialConnectionWindowBytes: [0, MAX_WINDOW_BYTES],
  // With 0 no body would ever be sent.
  maxGatheredBytes: [1, Number.POSITIVE_INFINITY],
};

/** Throws a RangeError for values that RFC 9113 §6.5.2 does not allow, and for those that are no whole number or infinite. */
export function assertOptions(options: Http2Options): void {
  for (const name of Object.keys(DEFAULT_OPTIONS) as (keyof Http2Options)[]) {
    const value = options[name];
    if (typeof DEFAULT_OPTIONS[name] === 'boolean') {
      if (typeof value !== 'boolean') throw new RangeError(`${name} must be true or false, and is ${value}`);
      continue;
    }
    const [min, max] = BOUNDS[name] ?? [0, Number.POSITIVE_INFINITY];
    const whole = Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
    if (!whole || Number(value) < min || Number(value) > max) {
      throw new RangeError(`${name} must be a whole number from ${min} to ${max}, and is ${value}`);
    }
  }
}

/** By what was given: the connections of a server share their options. */
const known = new WeakMap<object, Http2Options>();

/**
 * Options with defaults for what is not given, checked (a RangeError). Made once for each object, which is not to be changed
 * afterwards.
 */
export function completeOptions(given: Partial<Http2Options>): Http2Options {
  let options = known.get(given);
  if (options === undefined) {
    options = Object.freeze({ ...DEFAULT_OPTIONS, ...given });
    assertOptions(options);
    known.set(given, options);
  }
  return options;
}
