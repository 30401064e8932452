// HEADERS (RFC 9113 §6.2).
import type { Http2Fault } from '../fault.ts';
import { FrameFlag, frameSizeFault, protocolFault, stripPadding } from './frame.ts';
import type { Frame } from './frame.ts';

/** Exclusive bit, stream dependency and weight: deprecated, read over (RFC 9113 §5.3.2). */
const PRIORITY_BYTES = 5;

/** Narrows the frame to its fragment of the header block. */
export function parseHeadersFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId === 0) return protocolFault('HEADERS on stream 0');
  const fault = stripPadding(frame);
  if (fault !== null) return fault;
  if ((frame.flags & FrameFlag.PRIORITY) !== 0) {
    frame.start += PRIORITY_BYTES;
    if (frame.start > frame.end) return frameSizeFault('HEADERS too short for its priority');
  }
  return null;
}
