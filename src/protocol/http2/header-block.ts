// Puts together a header block that is spread over HEADERS and CONTINUATION frames (RFC 9113 §4.3, §6.10). Blocks of one
// frame never come here. Not the decoding.
import { connectionFault, ErrorCode } from './fault.ts';
import type { Http2Fault } from './fault.ts';
import { FrameType, protocolFault } from './frames/frame.ts';
import type { Frame } from './frames/frame.ts';
import type { Http2Options } from './options.ts';

export class HeaderBlock {
  /** The stream whose block is open; 0 for none. */
  streamId = 0;
  /** Whether its HEADERS frame had END_STREAM. */
  endStream = false;
  readonly #options: Http2Options;
  #fragments: Buffer[] = [];
  #bytes = 0;
  #continuations = 0;

  constructor(options: Http2Options) {
    this.#options = options;
  }

  /** Begins with the fragment in a HEADERS frame without END_HEADERS. */
  begin(frame: Frame, endStream: boolean): Http2Fault | null {
    this.streamId = frame.streamId;
    this.endStream = endStream;
    this.#continuations = 0;
    return this.#add(frame);
  }

  /** Whether the frame may come now: while a block is open, only its own CONTINUATION (RFC 9113 §4.3). */
  check(frame: Frame): Http2Fault | null {
    const continuation = frame.type === FrameType.CONTINUATION;
    if (this.streamId === 0)
      return continuation ? protocolFault('CONTINUATION without a header block') : null;
    if (continuation && frame.streamId === this.streamId) return null;
    return protocolFault('another frame inside a header block');
  }

  /** Takes the fragment in a CONTINUATION frame. */
  continue(frame: Frame): Http2Fault | null {
    this.#continuations++;
    if (this.#continuations > this.#options.maxContinuationFrames) {
      return connectionFault(ErrorCode.ENHANCE_YOUR_CALM, 'too many CONTINUATION frames');
    }
    return this.#add(frame);
  }

  /** Takes the whole block out and closes it. */
  take(): Buffer {
    const block = Buffer.concat(this.#fragments, this.#bytes);
    this.streamId = 0;
    this.#fragments = [];
    this.#bytes = 0;
    return block;
  }

  #add(frame: Frame): Http2Fault | null {
    this.#bytes += frame.end - frame.start;
    if (this.#bytes > this.#options.maxFragmentedHeaderBlockBytes) {
      return connectionFault(ErrorCode.ENHANCE_YOUR_CALM, 'a header block that is too large');
    }
    // Copied: the chunk that it lies in may be large, and the rest of the block long in coming.
    this.#fragments.push(Buffer.from(frame.buffer.subarray(frame.start, frame.end)));
    return null;
  }
}
