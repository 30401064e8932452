// Reads the header of a client's frame (RFC 6455 §5.2) and refuses it at the first byte that breaks a rule. Keeps no
// input: where bytes are missing it is asked again with more.
import type { WebSocketFaultCode } from './fault.ts';
import {
  CLOSE,
  COMPRESSED_BIT,
  CONTINUATION,
  FIN_BIT,
  LENGTH_16,
  LENGTH_64,
  LENGTH_BITS,
  MASK_BIT,
  MAX_LENGTH_16,
  MAX_SHORT_LENGTH,
  OPCODE_BITS,
  OTHER_RESERVED_BITS,
  PONG,
  TWO_32,
} from './opcode.ts';

/** Results of `read` that are no length. */
export const READ_MORE = 0;
export const READ_FAULT = -1;

const KEY_BYTES = 4;

export class FrameHeader {
  isFinal = false;
  isCompressed = false;
  opcode = 0;
  /** Bytes of the payload. Above 2^53 it is not exact, and over every limit. */
  length = 0;
  /** The masking key as a 32-bit integer, its first byte lowest. */
  maskKey = 0;
  /** Set where `read` returns READ_FAULT. */
  fault: WebSocketFaultCode = 'reserved-bits';
  readonly #mayCompress: boolean;

  constructor(mayCompress: boolean) {
    this.#mayCompress = mayCompress;
  }

  /** Bytes of the header at `start`, READ_MORE where it is not complete, or READ_FAULT. */
  read(input: Buffer, start: number, end: number, isInMessage: boolean): number {
    const available = end - start;
    if (available === 0) return READ_MORE;
    const first = input[start] as number;
    const opcode = first & OPCODE_BITS;
    const fault = this.#faultOfFirstByte(first, opcode, isInMessage);
    if (fault !== null) return this.#fail(fault);
    if (available === 1) return READ_MORE;
    const second = input[start + 1] as number;
    // §5.1: a server must close the connection upon a frame that is not masked.
    if ((second & MASK_BIT) === 0) return this.#fail('mask-missing');
    let length = second & LENGTH_BITS;
    let position = start + 2;
    if (length > MAX_SHORT_LENGTH) {
      if (opcode >= CLOSE) return this.#fail('control-too-long');
      position += length === LENGTH_16 ? 2 : 8;
      if (position > end) return READ_MORE;
      length = length === LENGTH_64 ? this.#readLength64(input, start + 2) : input.readUInt16BE(start + 2);
      if (length < 0) return READ_FAULT;
      const least = position - start === 4 ? MAX_SHORT_LENGTH : MAX_LENGTH_16;
      if (length <= least) return this.#fail('length-not-minimal');
    }
    if (position + KEY_BYTES > end) return READ_MORE;
    this.isFinal = (first & FIN_BIT) !== 0;
    this.isCompressed = (first & COMPRESSED_BIT) !== 0;
    this.opcode = opcode;
    this.length = length;
    this.maskKey =
      (input[position] as number) |
      ((input[position + 1] as number) << 8) |
      ((input[position + 2] as number) << 16) |
      ((input[position + 3] as number) << 24);
    return position + KEY_BYTES - start;
  }

  #faultOfFirstByte(first: number, opcode: number, isInMessage: boolean): WebSocketFaultCode | null {
    if ((first & OTHER_RESERVED_BITS) !== 0) return 'reserved-bits';
    // RFC 7692 §6: only the first frame of a message bears the bit, and no control frame (§5).
    const isFirst = opcode !== CONTINUATION && opcode < CLOSE;
    if ((first & COMPRESSED_BIT) !== 0 && !(this.#mayCompress && isFirst)) return 'reserved-bits';
    if (opcode >= CLOSE) {
      if (opcode > PONG) return 'opcode-reserved';
      return (first & FIN_BIT) === 0 ? 'control-fragmented' : null;
    }
    if (opcode === CONTINUATION) return isInMessage ? null : 'continuation-unexpected';
    if (opcode > 2) return 'opcode-reserved';
    return isInMessage ? 'continuation-expected' : null;
  }

  #readLength64(input: Buffer, position: number): number {
    const high = input.readUInt32BE(position);
    // §5.2: the most significant bit must be 0.
    if (high >= 0x8000_0000) return this.#fail('length-malformed');
    return high * TWO_32 + input.readUInt32BE(position + 4);
  }

  #fail(fault: WebSocketFaultCode): typeof READ_FAULT {
    this.fault = fault;
    return READ_FAULT;
  }
}
