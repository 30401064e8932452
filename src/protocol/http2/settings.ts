// Settings of both sides (RFC 9113 §6.5.2): ours as they are sent, the peer's as they are received and checked. Not the
// SETTINGS frame.
import { connectionFault, ErrorCode } from './fault.ts';
import type { Http2Fault } from './fault.ts';
import { DEFAULT_WINDOW_BYTES, MAX_WINDOW_BYTES } from './flow-window.ts';
import { MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES, readUint32 } from './frames/frame.ts';
import { SETTING_BYTES } from './frames/settings-frame.ts';
import type { Http2Options } from './options.ts';

const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  /** RFC 8441 §3. */
  ENABLE_CONNECT_PROTOCOL: 0x8,
  /** RFC 9218 §2.1. */
  NO_RFC7540_PRIORITIES: 0x9,
} as const;

/** The table size of HPACK until SETTINGS say otherwise (RFC 9113 §6.5.2). */
export const DEFAULT_TABLE_BYTES = 4096;

/** Our settings, as identifiers and values in turn. */
export function ownSettings(options: Http2Options): number[] {
  const settings: number[] = [
    Setting.MAX_CONCURRENT_STREAMS,
    options.maxConcurrentStreams,
    Setting.MAX_HEADER_LIST_SIZE,
    options.maxHeaderListBytes,
    Setting.NO_RFC7540_PRIORITIES,
    1,
  ];
  if (options.maxDecodeTableBytes !== DEFAULT_TABLE_BYTES) {
    settings.push(Setting.HEADER_TABLE_SIZE, options.maxDecodeTableBytes);
  }
  if (options.initialStreamWindowBytes !== DEFAULT_WINDOW_BYTES) {
    settings.push(Setting.INITIAL_WINDOW_SIZE, options.initialStreamWindowBytes);
  }
  if (options.maxFrameBytesReceived !== MIN_MAX_FRAME_BYTES) {
    settings.push(Setting.MAX_FRAME_SIZE, options.maxFrameBytesReceived);
  }
  if (options.enableConnectProtocol) settings.push(Setting.ENABLE_CONNECT_PROTOCOL, 1);
  return settings;
}

export class PeerSettings {
  headerTableBytes = DEFAULT_TABLE_BYTES;
  /** The least that it has been since the last look: the encoder has to say that too (RFC 7541 §4.2). */
  #leastHeaderTableBytes = DEFAULT_TABLE_BYTES;
  enablePush = true;
  maxConcurrentStreams = Number.POSITIVE_INFINITY;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  maxFrameBytes = MIN_MAX_FRAME_BYTES;
  /** null until the first SETTINGS: later ones must not change it (RFC 9218 §2.1.1). */
  #noRfc7540Priorities: number | null = null;

  /** Takes over the settings in `buffer[start, end)`, in order (RFC 9113 §6.5.3); a fault leaves them half taken. */
  receive(buffer: Buffer, start: number, end: number): Http2Fault | null {
    for (let at = start; at < end; at += SETTING_BYTES) {
      const identifier = ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
      const fault = this.#receiveSetting(identifier, readUint32(buffer, at + 2));
      if (fault !== null) return fault;
    }
    this.#noRfc7540Priorities ??= 0;
    return null;
  }

  /** The least that headerTableBytes has been since it was last asked for. */
  takeLeastHeaderTableBytes(): number {
    const least = this.#leastHeaderTableBytes;
    this.#leastHeaderTableBytes = this.headerTableBytes;
    return least;
  }

  #receiveSetting(identifier: number, value: number): Http2Fault | null {
    switch (identifier) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        this.#leastHeaderTableBytes = Math.min(this.#leastHeaderTableBytes, value);
        return null;
      case Setting.ENABLE_PUSH:
        this.enablePush = value === 1;
        return value > 1 ? badValue('ENABLE_PUSH') : null;
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        return null;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) {
          return connectionFault(ErrorCode.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE over 2^31-1');
        }
        this.initialWindowBytes = value;
        return null;
      case Setting.MAX_FRAME_SIZE:
        if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) return badValue('MAX_FRAME_SIZE');
        this.maxFrameBytes = value;
        return null;
      case Setting.NO_RFC7540_PRIORITIES:
        if (value > 1) return badValue('NO_RFC7540_PRIORITIES');
        if (this.#noRfc7540Priorities !== null && this.#noRfc7540Priorities !== value) {
          return connectionFault(ErrorCode.PROTOCOL_ERROR, 'NO_RFC7540_PRIORITIES changed');
        }
        this.#noRfc7540Priorities = value;
        return null;
      default:
        // MAX_HEADER_LIST_SIZE is advice, ENABLE_CONNECT_PROTOCOL a server's, and unknown ones are ignored (§6.5.2).
        return null;
    }
  }
}

function badValue(name: string): Http2Fault {
  return connectionFault(ErrorCode.PROTOCOL_ERROR, `a value that ${name} cannot have`);
}
