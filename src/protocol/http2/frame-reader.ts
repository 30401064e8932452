// Cuts what is received into frames (RFC 9113 §4.1) after the client's preface (§3.4). A frame that lies whole in a chunk
// is read where it is; only one that is spread over chunks is copied. Not what frames mean: receiver.ts.
import type { Http2Fault } from './fault.ts';
import {
  FRAME_HEADER_BYTES,
  Frame,
  FrameFlag,
  frameSizeFault,
  FrameType,
  NO_BYTES,
  protocolFault,
} from './frames/frame.ts';

/** RFC 9113 §3.4. */
export const CLIENT_PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface FrameSink {
  receiveFrame(frame: Frame): void;
  /** False once the connection is over. */
  readonly receiving: boolean;
}

export class FrameReader {
  /** Octets of the preface that have been received. */
  #prefaceBytes = 0;
  /** SETTINGS must be the first frame (RFC 9113 §3.4). */
  #first = true;
  readonly #frame = new Frame();
  readonly #maxFrameBytes: number;
  /** The beginning of a frame whose rest has not come: its octets, how many, and how many are wanted. */
  #kept: Buffer = NO_BYTES;
  #keptBytes = 0;
  #wantedBytes = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Whether the whole preface, with its SETTINGS frame, has been received. */
  get prefaceReceived(): boolean {
    return !this.#first;
  }

  /** Passes on each frame that the chunk completes. A fault is returned at once, and then nothing more may be read. */
  read(chunk: Buffer, sink: FrameSink): Http2Fault | null {
    let position = 0;
    if (this.#prefaceBytes < CLIENT_PREFACE.length) {
      position = Math.min(CLIENT_PREFACE.length - this.#prefaceBytes, chunk.length);
      const expected = CLIENT_PREFACE.subarray(this.#prefaceBytes, this.#prefaceBytes + position);
      if (!expected.equals(chunk.subarray(0, position))) return protocolFault('not the preface of HTTP/2');
      this.#prefaceBytes += position;
    }
    const fault = this.#readFrames(chunk, position, sink);
    this.#frame.release();
    return fault;
  }

  #readFrames(chunk: Buffer, begin: number, sink: FrameSink): Http2Fault | null {
    const frame = this.#frame;
    let position = begin;
    while (this.#wantedBytes > 0 && position < chunk.length) {
      const taken = Math.min(this.#wantedBytes - this.#keptBytes, chunk.length - position);
      chunk.copy(this.#kept, this.#keptBytes, position, position + taken);
      this.#keptBytes += taken;
      position += taken;
      if (this.#keptBytes < this.#wantedBytes) return null;
      const fault = this.#completeKept(sink);
      if (fault !== null || !sink.receiving) return fault;
    }
    while (position + FRAME_HEADER_BYTES <= chunk.length) {
      frame.readHeader(chunk, position);
      const fault = this.#checkHeader();
      if (fault !== null) return fault;
      const start = position + FRAME_HEADER_BYTES;
      if (start + frame.length > chunk.length) break;
      frame.setPayload(chunk, start);
      position = start + frame.length;
      sink.receiveFrame(frame);
      if (!sink.receiving) return null;
    }
    if (position < chunk.length) this.#keep(chunk, position);
    return null;
  }

  /** What was wanted is there: the header, or the whole frame. */
  #completeKept(sink: FrameSink): Http2Fault | null {
    const frame = this.#frame;
    frame.readHeader(this.#kept, 0);
    if (this.#wantedBytes === FRAME_HEADER_BYTES) {
      const fault = this.#checkHeader();
      if (fault !== null) return fault;
      if (frame.length > 0) {
        this.#want(FRAME_HEADER_BYTES + frame.length);
        return null;
      }
    }
    frame.setPayload(this.#kept, FRAME_HEADER_BYTES);
    this.#kept = NO_BYTES;
    this.#keptBytes = 0;
    this.#wantedBytes = 0;
    sink.receiveFrame(frame);
    return null;
  }

  #keep(chunk: Buffer, position: number): void {
    const left = chunk.length - position;
    // Where the header is whole, #frame has it.
    this.#want(left < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + this.#frame.length);
    chunk.copy(this.#kept, 0, position);
    this.#keptBytes = left;
  }

  #want(bytes: number): void {
    const kept = Buffer.allocUnsafe(bytes);
    this.#kept.copy(kept, 0, 0, this.#keptBytes);
    this.#kept = kept;
    this.#wantedBytes = bytes;
  }

  /** What is wrong is found before the payload has come. */
  #checkHeader(): Http2Fault | null {
    const frame = this.#frame;
    if (this.#first) {
      if (frame.type !== FrameType.SETTINGS || frame.has(FrameFlag.ACK))
        return protocolFault('the first frame is not SETTINGS');
      this.#first = false;
    }
    return frame.length > this.#maxFrameBytes ? frameSizeFault('a frame larger than MAX_FRAME_SIZE') : null;
  }
}
