// PRIORITY (RFC 9113 §6.3): deprecated, checked and then ignored.
import { ErrorCode, streamFault } from '../fault.ts';
import type { Http2Fault } from '../fault.ts';
import { protocolFault } from './frame.ts';
import type { Frame } from './frame.ts';

export function parsePriorityFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId === 0) return protocolFault('PRIORITY on stream 0');
  if (frame.length === 5) return null;
  return streamFault(
    frame.streamId,
    ErrorCode.FRAME_SIZE_ERROR,
    'a PRIORITY frame that is not 5 octets long',
  );
}
