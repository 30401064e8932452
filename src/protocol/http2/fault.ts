// Whose fault an end is, as a value: what the peer did wrong and how far it reaches (RFC 9113 §5.4, §7).

/** Error codes of RFC 9113 §7. */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What the peer did wrong. A connection's fault ends it with GOAWAY, a stream's one ends the stream with RST_STREAM. */
export interface Http2Fault {
  readonly kind: 'connection' | 'stream';
  /** 0 where no stream is concerned. */
  readonly streamId: number;
  readonly code: ErrorCode;
  /** For people; also sent as GOAWAY's debug data. */
  readonly reason: string;
}

export function connectionFault(code: ErrorCode, reason: string): Http2Fault {
  return { kind: 'connection', streamId: 0, code, reason };
}

export function streamFault(streamId: number, code: ErrorCode, reason: string): Http2Fault {
  return { kind: 'stream', streamId, code, reason };
}

/** Of a malformed request (RFC 9113 §8.1.1). */
export function malformedFault(streamId: number, reason: string): Http2Fault {
  return streamFault(streamId, ErrorCode.PROTOCOL_ERROR, reason);
}
