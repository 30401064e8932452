// What a WebSocket peer can do wrong, as values: each with the close code that answers it (RFC 6455 §7.4.1).

interface FaultEntry {
  readonly closeCode: number;
  readonly reason: string;
}

const TABLE = {
  // The frame header: RFC 6455 §5.1, §5.2.
  'reserved-bits': { closeCode: 1002, reason: 'a reserved bit is set' },
  'opcode-reserved': { closeCode: 1002, reason: 'the opcode is reserved' },
  'mask-missing': { closeCode: 1002, reason: 'a frame is not masked' },
  'length-not-minimal': { closeCode: 1002, reason: 'a length is not in its shortest form' },
  'length-malformed': { closeCode: 1002, reason: 'a length has its highest bit set' },
  // Fragmentation: RFC 6455 §5.4.
  'continuation-unexpected': { closeCode: 1002, reason: 'there is no message to continue' },
  'continuation-expected': { closeCode: 1002, reason: 'the last message is not finished' },
  // Control frames: RFC 6455 §5.5.
  'control-fragmented': { closeCode: 1002, reason: 'a control frame is fragmented' },
  'control-too-long': { closeCode: 1002, reason: 'a control frame is too long' },
  'close-payload': { closeCode: 1002, reason: 'a close frame has one byte' },
  'close-code': { closeCode: 1002, reason: 'a close frame has an invalid code' },
  // Payloads: RFC 6455 §8.1, RFC 7692 §7.2.2.
  'text-not-utf8': { closeCode: 1007, reason: 'a text is not UTF-8' },
  'deflate-malformed': { closeCode: 1007, reason: 'compressed data is malformed' },
  // Limits: RFC 6455 §10.4.
  'too-many-fragments': { closeCode: 1008, reason: 'a message has too many fragments' },
  'frame-too-large': { closeCode: 1009, reason: 'a frame is too large' },
  'message-too-large': { closeCode: 1009, reason: 'a message is too large' },
  'inflated-too-large': { closeCode: 1009, reason: 'a message inflates to too much' },
} as const satisfies Record<string, FaultEntry>;

export type WebSocketFaultCode = keyof typeof TABLE;

/** The peer broke a rule or went over a limit: the connection is to be failed (RFC 6455 §7.1.7). */
export interface WebSocketFault {
  readonly kind: 'fault';
  /** For the close frame that answers it: 1002, 1007, 1008 or 1009. */
  readonly closeCode: number;
  readonly code: WebSocketFaultCode;
  /** A few words without user input that fit into a close frame. */
  readonly reason: string;
}

export const WEBSOCKET_FAULT_CODES = Object.keys(TABLE) as readonly WebSocketFaultCode[];

export function makeWebSocketFault(code: WebSocketFaultCode): WebSocketFault {
  const { closeCode, reason } = TABLE[code];
  return { kind: 'fault', closeCode, code, reason };
}
