// The receiving half of a connection: bytes in, frames taken apart, events out. The order of the checks is that of RFC
// 9113; what a frame does to streams and windows is decided here, how it is spelled in frames/. Not the sending half:
// sender.ts.
import { NO_FIELDS } from '../http/field-lines.ts';
import type { ConnectionCore } from './connection-core.ts';
import { connectionFault, ErrorCode, malformedFault, streamFault } from './fault.ts';
import { parseDataFrame } from './frames/data-frame.ts';
import { FrameFlag, FrameType, protocolFault } from './frames/frame.ts';
import type { FrameSink } from './frame-reader.ts';
import type { Frame } from './frames/frame.ts';
import { goawayCode, goawayDebug, goawayLastStreamId, parseGoawayFrame } from './frames/goaway-frame.ts';
import { parsePingFrame, pingNumber, writePingAck } from './frames/ping-frame.ts';
import { parseRstStreamFrame, rstStreamCode } from './frames/rst-stream-frame.ts';
import { parseSettingsFrame, SETTING_BYTES, writeSettingsAck } from './frames/settings-frame.ts';
import { parseWindowUpdateFrame, windowIncrement } from './frames/window-update-frame.ts';
import { HeadReceiver } from './head-receiver.ts';
import type { Sender } from './sender.ts';
import type { Http2Stream } from './stream.ts';
import { StreamEvent } from './stream-states.ts';

export class Receiver implements FrameSink {
  readonly #core: ConnectionCore;
  readonly #sender: Sender;
  readonly #heads: HeadReceiver;
  /** Told of the answers to our PINGs. */
  readonly #receivePong: (number: number) => void;

  constructor(core: ConnectionCore, sender: Sender, receivePong: (number: number) => void) {
    this.#core = core;
    this.#sender = sender;
    this.#receivePong = receivePong;
    this.#heads = new HeadReceiver(core);
  }

  /** The requests of this connection. */
  get heads(): HeadReceiver {
    return this.#heads;
  }

  /** Whether the connection has no fault: nothing is received after one. */
  get receiving(): boolean {
    return this.#core.fault === null;
  }

  /** Takes one whole frame. */
  receiveFrame(frame: Frame): void {
    if (this.#heads.openBlockId !== 0 || frame.type === FrameType.CONTINUATION) {
      const fault = this.#heads.checkOrder(frame);
      if (fault !== null) {
        this.#core.fail(fault);
        return;
      }
    }
    switch (frame.type) {
      case FrameType.DATA:
        this.#receiveData(frame);
        return;
      case FrameType.HEADERS:
        this.#heads.receiveHeaders(frame);
        return;
      case FrameType.PRIORITY:
        this.#heads.receivePriority(frame);
        return;
      case FrameType.RST_STREAM:
        this.#receiveRstStream(frame);
        return;
      case FrameType.SETTINGS:
        this.#receiveSettings(frame);
        return;
      case FrameType.PUSH_PROMISE:
        this.#core.fail(protocolFault('PUSH_PROMISE from a client'));
        return;
      case FrameType.PING:
        this.#receivePing(frame);
        return;
      case FrameType.GOAWAY:
        this.#receiveGoaway(frame);
        return;
      case FrameType.WINDOW_UPDATE:
        this.#receiveWindowUpdate(frame);
        return;
      case FrameType.CONTINUATION:
        this.#heads.receiveContinuation(frame);
        return;
      case FrameType.PRIORITY_UPDATE:
        this.#heads.receivePriorityUpdate(frame);
        return;
      default:
        this.#core.spend(this.#core.budgets.unknownFrames, 'too many frames of unknown types');
    }
  }

  // --- DATA ---

  #receiveData(frame: Frame): void {
    const core = this.#core;
    const fault = parseDataFrame(frame);
    if (fault !== null) {
      core.fail(fault);
      return;
    }
    const id = frame.streamId;
    if (!core.receiveWindow.receive(frame.length)) {
      core.fail(connectionFault(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the connection'));
      return;
    }
    const stream = core.streams.get(id);
    if (stream === undefined || !stream.remoteOpen || stream.receiveWindow === null) {
      // Counted in all the same (RFC 9113 §5.1), and read by nobody.
      core.releaseConnection(frame.length);
      if (stream === undefined) core.failLate(id, frame.start === frame.end);
      else if (stream.reserved) core.fail(protocolFault('DATA on a promised stream'));
      else core.failStream(streamFault(id, ErrorCode.STREAM_CLOSED, 'DATA after END_STREAM'));
      return;
    }
    if (!stream.receiveWindow.receive(frame.length)) {
      core.releaseConnection(frame.length);
      core.failStream(
        streamFault(id, ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the stream'),
      );
      return;
    }
    const size = frame.end - frame.start;
    // Padding and its length are never read.
    if (frame.length > size) core.releaseStream(stream, frame.length - size);
    this.#deliverData(stream, frame, size, frame.has(FrameFlag.END_STREAM));
  }

  #deliverData(stream: Http2Stream, frame: Frame, size: number, end: boolean): void {
    const core = this.#core;
    if (size > 0) core.budgets.emptyData.earn(1);
    else if (!end && !this.#core.spend(this.#core.budgets.emptyData, 'too many empty DATA frames')) return;
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= size;
      if (stream.expectedBytes < 0 || (end && stream.expectedBytes > 0)) {
        core.failStream(malformedFault(stream.id, 'content and content-length differ'));
        return;
      }
    }
    if (stream.discards) core.releaseStream(stream, size);
    else if (size > 0) core.events.receiveData(stream, frame.buffer.subarray(frame.start, frame.end));
    // The driver may have reset it.
    if (end && !stream.closed) core.endRequest(stream, NO_FIELDS);
  }

  // --- The other frames ---

  #receiveRstStream(frame: Frame): void {
    const core = this.#core;
    const id = frame.streamId;
    const fault = parseRstStreamFrame(frame);
    if (fault !== null) {
      core.fail(fault);
    } else if (core.streams.isIdle(id) || core.streams.wasSkipped(id)) {
      core.fail(protocolFault('RST_STREAM on a stream that was never opened'));
    } else if (this.#core.spend(this.#core.budgets.cancels, 'too many streams were cancelled')) {
      const stream = core.streams.get(id);
      if (stream === undefined) return;
      core.streams.rememberReset(id, 'peer');
      stream.move(StreamEvent.RESET);
      core.closeStream(stream);
      core.events.receiveReset(stream, rstStreamCode(frame), null);
    }
  }

  #receiveSettings(frame: Frame): void {
    const core = this.#core;
    const fault = parseSettingsFrame(frame);
    if (fault !== null) {
      core.fail(fault);
    } else if (this.#core.spend(this.#core.budgets.settings, 'too many SETTINGS frames')) {
      if (frame.has(FrameFlag.ACK)) this.#heads.applyOwnSettings();
      else if (frame.length > core.options.maxSettings * SETTING_BYTES) core.calmDown('too many settings');
      else this.#applySettings(frame.buffer, frame.start, frame.end);
    }
  }

  #applySettings(buffer: Buffer, start: number, end: number): void {
    if (this.receivePeerSettings(buffer, start, end)) writeSettingsAck(this.#core.writer);
  }

  /** Takes over settings of the peer, from SETTINGS or HTTP2-Settings. False: a fault ended the connection. */
  receivePeerSettings(buffer: Buffer, start: number, end: number): boolean {
    const core = this.#core;
    const before = core.peerSettings.initialWindowBytes;
    const fault = core.peerSettings.receive(buffer, start, end);
    if (fault !== null) {
      core.fail(fault);
      return false;
    }
    this.#sender.applyPeerSettings();
    const change = core.peerSettings.initialWindowBytes - before;
    if (change === 0) return true;
    for (const stream of core.streams.values()) {
      if (!stream.sendWindow.grow(change)) {
        core.fail(
          connectionFault(ErrorCode.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE makes a window overflow'),
        );
        return false;
      }
      core.reschedule(stream);
    }
    return true;
  }

  #receivePing(frame: Frame): void {
    const fault = parsePingFrame(frame);
    if (fault !== null) this.#core.fail(fault);
    else if (frame.has(FrameFlag.ACK)) {
      if (!this.#core.spend(this.#core.budgets.unknownFrames, 'too many acknowledgements of PING')) return;
      this.#receivePong(pingNumber(frame));
    } else if (this.#core.spend(this.#core.budgets.pings, 'too many PING frames'))
      writePingAck(this.#core.writer, frame);
  }

  #receiveGoaway(frame: Frame): void {
    const core = this.#core;
    const fault = parseGoawayFrame(frame);
    if (fault !== null) {
      core.fail(fault);
    } else if (this.#core.spend(this.#core.budgets.unknownFrames, 'too many GOAWAY frames')) {
      core.peerGoaway = true;
      core.events.receiveGoaway(goawayLastStreamId(frame), goawayCode(frame), goawayDebug(frame));
    }
  }

  #receiveWindowUpdate(frame: Frame): void {
    const core = this.#core;
    const id = frame.streamId;
    const fault = parseWindowUpdateFrame(frame);
    const stream = core.streams.get(id);
    if (id !== 0 && (core.streams.isIdle(id) || core.streams.wasSkipped(id))) {
      core.fail(protocolFault('WINDOW_UPDATE on a stream that was never opened'));
    } else if (fault !== null) {
      core.judge(fault);
    } else if (!this.#core.spend(this.#core.budgets.windowUpdates, 'too many WINDOW_UPDATE frames')) {
      return;
    } else if (id === 0) {
      if (!core.sendWindow.grow(windowIncrement(frame))) {
        core.fail(connectionFault(ErrorCode.FLOW_CONTROL_ERROR, 'the window of the connection overflows'));
      }
    } else if (stream !== undefined) {
      if (stream.sendWindow.grow(windowIncrement(frame))) core.reschedule(stream);
      else
        core.failStream(streamFault(id, ErrorCode.FLOW_CONTROL_ERROR, 'the window of the stream overflows'));
    }
  }
}
