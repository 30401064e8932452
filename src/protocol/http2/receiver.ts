// The receiving half of a connection: bytes in, frames taken apart, events out. The order of the checks is that of RFC
// 9113; what a frame does to streams and windows is decided here, how it is spelled in frames/. Not the sending half:
// sender.ts.
import { NO_FIELDS } from '../http/field-lines.ts';
import type { ConnectionCore } from './connection-core.ts';
import { connectionFault, ErrorCode, streamFault } from './fault.ts';
import { DEFAULT_WINDOW_BYTES, ReceiveWindow } from './flow-window.ts';
import { parseDataFrame } from './frames/data-frame.ts';
import { FrameFlag, FrameType, protocolFault } from './frames/frame.ts';
import type { Frame } from './frames/frame.ts';
import { goawayCode, goawayDebug, goawayLastStreamId, parseGoawayFrame } from './frames/goaway-frame.ts';
import { parseHeadersFrame } from './frames/headers-frame.ts';
import { parsePingFrame, pingNumber, writePingAck } from './frames/ping-frame.ts';
import { parsePriorityFrame } from './frames/priority-frame.ts';
import {
  parsePriorityUpdateFrame,
  prioritizedField,
  prioritizedStreamId,
} from './frames/priority-update-frame.ts';
import { parseRstStreamFrame, rstStreamCode } from './frames/rst-stream-frame.ts';
import { parseSettingsFrame, SETTING_BYTES, writeSettingsAck } from './frames/settings-frame.ts';
import { parseWindowUpdateFrame, windowIncrement } from './frames/window-update-frame.ts';
import { HeadBuilder } from './head-builder.ts';
import { HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { parsePriority } from './priority.ts';
import type { Sender } from './sender.ts';
import { DEFAULT_TABLE_BYTES } from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamEvent } from './stream-states.ts';

export class Receiver {
  /** Whether the peer has acknowledged our settings: then they bind it (RFC 9113 §6.5.3). */
  settingsAcknowledged = false;
  /** Told of the answers to our PINGs, before the driver. */
  readonly #receivePong: (number: number) => void;
  readonly #core: ConnectionCore;
  readonly #sender: Sender;
  readonly #decoder = new HpackDecoder(DEFAULT_TABLE_BYTES);
  readonly #builder: HeadBuilder;
  readonly #block: HeaderBlock;
  /** Receive window of new streams: the default until our settings have been acknowledged. */
  #streamWindowBytes = DEFAULT_WINDOW_BYTES;
  #excusedRefusals = 0;
  /** PRIORITY_UPDATE of streams not yet open (RFC 9218 §7.1), as many as can be open at most. */
  readonly #earlyPriorities = new Map<number, string>();

  constructor(core: ConnectionCore, sender: Sender, receivePong: (number: number) => void) {
    this.#core = core;
    this.#sender = sender;
    this.#receivePong = receivePong;
    this.#builder = new HeadBuilder(core.options);
    this.#block = new HeaderBlock(core.options);
  }

  /** Takes one whole frame. */
  receiveFrame(frame: Frame): void {
    if (this.#block.streamId !== 0 || frame.type === FrameType.CONTINUATION) {
      const fault = this.#block.check(frame);
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
        this.#receiveHeaders(frame);
        return;
      case FrameType.PRIORITY:
        this.#receivePriority(frame);
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
        this.#receiveContinuation(frame);
        return;
      case FrameType.PRIORITY_UPDATE:
        this.#receivePriorityUpdate(frame);
        return;
      default:
        this.#spend('unknownFrames', 'too many frames of unknown types');
    }
  }

  /** False: the budget is used up, and so is the connection. */
  #spend(
    budget: 'cancels' | 'emptyData' | 'pings' | 'settings' | 'windowUpdates' | 'priorities' | 'unknownFrames',
    reason: string,
  ): boolean {
    const { budgets } = this.#core;
    if (budgets[budget].spend(budgets.answers)) return true;
    this.#core.calmDown(reason);
    return false;
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
      if (stream === undefined) this.#receiveLate(id);
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
    else if (!end && !this.#spend('emptyData', 'too many empty DATA frames')) return;
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= size;
      if (stream.expectedBytes < 0 || (end && stream.expectedBytes > 0)) {
        core.failStream(malformed(stream.id, 'content and content-length differ'));
        return;
      }
    }
    if (size > 0) core.events.receiveData(stream, frame.buffer.subarray(frame.start, frame.end));
    // The driver may have reset it.
    if (end && !stream.closed) this.#endRequest(stream, NO_FIELDS);
  }

  #endRequest(stream: Http2Stream, trailers: readonly string[]): void {
    stream.move(StreamEvent.RECEIVE_END);
    if (stream.closed) this.#core.closeStream(stream);
    this.#core.events.receiveEnd(stream, trailers);
  }

  /** A frame that only open streams can have, on one that is not. */
  #receiveLate(id: number): void {
    const { streams } = this.#core;
    const by = streams.resetBy(id);
    // It may have been on its way when we reset the stream (RFC 9113 §5.1).
    if (by === 'us') return;
    if (by === 'peer') {
      this.#core.failStream(streamFault(id, ErrorCode.STREAM_CLOSED, 'a frame after RST_STREAM'));
    } else if (streams.isIdle(id) || streams.wasSkipped(id)) {
      this.#core.fail(protocolFault('a frame on a stream that was never opened'));
    } else {
      this.#core.fail(connectionFault(ErrorCode.STREAM_CLOSED, 'a frame on a closed stream'));
    }
  }

  // --- HEADERS and CONTINUATION ---

  #receiveHeaders(frame: Frame): void {
    const fault = parseHeadersFrame(frame);
    if (fault !== null) {
      this.#core.fail(fault);
      return;
    }
    const end = frame.has(FrameFlag.END_STREAM);
    if (frame.has(FrameFlag.END_HEADERS)) {
      this.#receiveBlock(frame.buffer, frame.start, frame.end, frame.streamId, end);
      return;
    }
    const blockFault = this.#block.begin(frame, end);
    if (blockFault !== null) this.#core.fail(blockFault);
  }

  #receiveContinuation(frame: Frame): void {
    const fault = this.#block.continue(frame);
    if (fault !== null) {
      this.#core.fail(fault);
      return;
    }
    if (!frame.has(FrameFlag.END_HEADERS)) return;
    const { streamId, endStream } = this.#block;
    const block = this.#block.take();
    this.#receiveBlock(block, 0, block.length, streamId, endStream);
  }

  /** Every block is decoded, whatever becomes of it, because the tables of both sides must agree (RFC 9113 §4.3). */
  #receiveBlock(buffer: Buffer, start: number, end: number, id: number, endStream: boolean): void {
    const core = this.#core;
    const opening = core.streams.isIdle(id);
    if (opening && id % 2 === 0) {
      core.fail(protocolFault('HEADERS on a stream that clients do not open'));
      return;
    }
    this.#builder.begin(!opening);
    const error = this.#decoder.decode(buffer, start, end, this.#builder);
    if (error !== null) {
      core.fail(connectionFault(ErrorCode.COMPRESSION_ERROR, error));
      return;
    }
    if (opening) {
      this.#receiveRequest(id, endStream);
      return;
    }
    const stream = core.streams.get(id);
    if (stream === undefined) this.#receiveLate(id);
    else this.#receiveTrailers(stream, endStream);
  }

  #receiveRequest(id: number, endStream: boolean): void {
    const core = this.#core;
    core.streams.usePeerId(id);
    // Above what GOAWAY promised: the client sends it again elsewhere (RFC 9113 §6.8).
    if (id > core.lastServedId) {
      core.streams.rememberReset(id, 'us');
      return;
    }
    if (core.streams.peerCount >= core.options.maxConcurrentStreams) {
      this.#refuseStream(id);
      return;
    }
    const builder = this.#builder;
    const head = builder.finishRequest(endStream);
    if (builder.malformed !== null) {
      core.failStream(malformed(id, builder.malformed));
      return;
    }
    const stream = this.openStream(id, endStream);
    if (head !== null) {
      stream.withoutContent = head.method === 'HEAD';
      if (!endStream && head.contentLength !== null) stream.expectedBytes = head.contentLength;
      const priority = this.#takeEarlyPriority(id) ?? builder.priority;
      if (priority !== null) this.prioritize(stream, priority);
      core.events.receiveHead(stream, head);
    } else if (builder.refusal !== null) {
      core.events.receiveRefusedHead(stream, builder.refusal);
    }
  }

  openStream(id: number, endStream: boolean): Http2Stream {
    const core = this.#core;
    const stream = new Http2Stream(id, core.peerSettings.initialWindowBytes);
    stream.move(StreamEvent.RECEIVE_HEADERS);
    if (endStream) stream.move(StreamEvent.RECEIVE_END);
    else stream.receiveWindow = new ReceiveWindow(this.#streamWindowBytes, core.options.maxStreamWindowBytes);
    core.streams.open(stream);
    return stream;
  }

  #refuseStream(id: number): void {
    const core = this.#core;
    const fault = streamFault(id, ErrorCode.REFUSED_STREAM, 'more streams than MAX_CONCURRENT_STREAMS');
    core.failStream(fault);
    // Until it has our settings a client cannot know the limit; it is refused then, but not held to account.
    if (this.settingsAcknowledged || this.#excusedRefusals >= MAX_EXCUSED_REFUSALS) return;
    this.#excusedRefusals++;
    core.budgets.provokedResets.earn(1);
  }

  #receiveTrailers(stream: Http2Stream, endStream: boolean): void {
    const core = this.#core;
    const id = stream.id;
    const builder = this.#builder;
    if (!stream.remoteOpen) {
      core.failStream(streamFault(id, ErrorCode.STREAM_CLOSED, 'HEADERS after END_STREAM'));
    } else if (!endStream) {
      core.failStream(malformed(id, 'trailers without END_STREAM'));
    } else if (builder.malformed !== null) {
      core.failStream(malformed(id, builder.malformed));
    } else if (builder.refusal !== null) {
      core.failStream(streamFault(id, ErrorCode.ENHANCE_YOUR_CALM, builder.refusal.reason));
    } else if (stream.expectedBytes > 0) {
      core.failStream(malformed(id, 'content and content-length differ'));
    } else {
      this.#endRequest(stream, builder.finishTrailers());
    }
  }

  // --- Priorities ---

  /** `field`: a value of the `priority` field. */
  prioritize(stream: Http2Stream, field: string): void {
    const { urgency, incremental } = parsePriority(field);
    this.#core.scheduler.prioritize(stream, urgency, incremental);
  }

  #takeEarlyPriority(id: number): string | undefined {
    if (this.#earlyPriorities.size === 0) return undefined;
    const field = this.#earlyPriorities.get(id);
    this.#earlyPriorities.delete(id);
    return field;
  }

  #receivePriority(frame: Frame): void {
    const fault = parsePriorityFrame(frame);
    if (fault !== null) this.#core.judge(fault);
    else this.#spend('priorities', 'too many PRIORITY frames');
  }

  #receivePriorityUpdate(frame: Frame): void {
    const core = this.#core;
    const fault = parsePriorityUpdateFrame(frame);
    if (fault !== null) {
      core.fail(fault);
      return;
    }
    if (!this.#spend('priorities', 'too many PRIORITY_UPDATE frames')) return;
    const id = prioritizedStreamId(frame);
    const stream = core.streams.get(id);
    if (stream !== undefined) this.prioritize(stream, prioritizedField(frame));
    else if (core.streams.isIdle(id)) this.#keepEarlyPriority(id, prioritizedField(frame));
  }

  #keepEarlyPriority(id: number, field: string): void {
    const early = this.#earlyPriorities;
    if (id % 2 === 0) this.#core.fail(protocolFault('PRIORITY_UPDATE of a stream not pushed yet'));
    else if (early.has(id) || early.size < this.#core.options.maxConcurrentStreams) {
      early.set(id, field.slice(0, MAX_EARLY_PRIORITY_LENGTH));
    }
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
    } else if (this.#spend('cancels', 'too many streams were cancelled')) {
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
    } else if (this.#spend('settings', 'too many SETTINGS frames')) {
      if (frame.has(FrameFlag.ACK)) this.#receiveSettingsAck();
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

  #receiveSettingsAck(): void {
    if (this.settingsAcknowledged) return;
    this.settingsAcknowledged = true;
    const { options, streams } = this.#core;
    this.#decoder.setMaxTableSize(options.maxDecodeTableBytes);
    this.#streamWindowBytes = options.initialStreamWindowBytes;
    const change = options.initialStreamWindowBytes - DEFAULT_WINDOW_BYTES;
    for (const stream of streams.values()) stream.receiveWindow?.shift(change);
  }

  #receivePing(frame: Frame): void {
    const fault = parsePingFrame(frame);
    if (fault !== null) this.#core.fail(fault);
    else if (frame.has(FrameFlag.ACK)) this.#receivePong(pingNumber(frame));
    else if (this.#spend('pings', 'too many PING frames')) writePingAck(this.#core.writer, frame);
  }

  #receiveGoaway(frame: Frame): void {
    const core = this.#core;
    const fault = parseGoawayFrame(frame);
    if (fault !== null) {
      core.fail(fault);
    } else if (this.#spend('unknownFrames', 'too many GOAWAY frames')) {
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
    } else if (!this.#spend('windowUpdates', 'too many WINDOW_UPDATE frames')) {
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

/** What an eager client may send before it has our settings, beyond what they allow. */
const MAX_EXCUSED_REFUSALS = 1000;
/** A longer priority says nothing more: u and i fit several times. */
const MAX_EARLY_PRIORITY_LENGTH = 64;

/** RFC 9113 §8.1.1. */
function malformed(streamId: number, reason: string): ReturnType<typeof streamFault> {
  return streamFault(streamId, ErrorCode.PROTOCOL_ERROR, reason);
}
