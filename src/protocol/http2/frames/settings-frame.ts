// SETTINGS (RFC 9113 §6.5): the frame; what the values mean is in settings.ts.
import type { Http2Fault } from '../fault.ts';
import type { FrameWriter } from '../frame-writer.ts';
import { FrameFlag, frameSizeFault, FrameType, protocolFault, writeFrameHeader } from './frame.ts';
import type { Frame } from './frame.ts';

/** Identifier (2 octets) and value (4). */
export const SETTING_BYTES = 6;

export function parseSettingsFrame(frame: Frame): Http2Fault | null {
  if (frame.streamId !== 0) return protocolFault('SETTINGS on a stream');
  if (frame.has(FrameFlag.ACK)) {
    return frame.length === 0 ? null : frameSizeFault('an acknowledgement of SETTINGS that is not empty');
  }
  return frame.length % SETTING_BYTES === 0 ? null : frameSizeFault('SETTINGS not made of whole settings');
}

/** `settings`: identifiers and values in turn. */
export function writeSettingsFrame(writer: FrameWriter, settings: readonly number[]): void {
  writeFrameHeader(writer, (settings.length / 2) * SETTING_BYTES, FrameType.SETTINGS, 0, 0);
  for (let i = 0; i < settings.length; i += 2) {
    writer.writeUint16(settings[i] as number);
    writer.writeUint32(settings[i + 1] as number);
  }
}

export function writeSettingsAck(writer: FrameWriter): void {
  writeFrameHeader(writer, 0, FrameType.SETTINGS, FrameFlag.ACK, 0);
}
