// The part of the receiving half that makes requests of header blocks: HEADERS, CONTINUATION, and the priorities that come
// with them or after. The other frames: receiver.ts.
import type { ConnectionCore } from './connection-core.ts';
import { connectionFault, ErrorCode, malformedFault, streamFault } from './fault.ts';
import type { Http2Fault } from './fault.ts';
import { DEFAULT_WINDOW_BYTES, ReceiveWindow } from './flow-window.ts';
import { FrameFlag, protocolFault } from './frames/frame.ts';
import type { Frame } from './frames/frame.ts';
import { parseHeadersFrame } from './frames/headers-frame.ts';
import { parsePriorityFrame } from './frames/priority-frame.ts';
import {
  parsePriorityUpdateFrame,
  prioritizedField,
  prioritizedStreamId,
} from './frames/priority-update-frame.ts';
import { HeadBuilder } from './head-builder.ts';
import type { Http2RequestHead } from './head-builder.ts';
import { HeadCache } from './head-cache.ts';
import { HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { parsePriority } from './priority.ts';
import { DEFAULT_TABLE_BYTES } from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamEvent } from './stream-states.ts';

/** What an eager client may send before it has our settings, beyond what they allow. */
const MAX_EXCUSED_REFUSALS = 1000;
/** A longer priority says nothing more: u and i fit several times. */
const MAX_EARLY_PRIORITY_LENGTH = 64;

export class HeadReceiver {
  readonly #core: ConnectionCore;
  readonly #decoder = new HpackDecoder(DEFAULT_TABLE_BYTES);
  readonly #builder: HeadBuilder;
  readonly #heads = new HeadCache();
  readonly #block: HeaderBlock;
  /** Receive window of new streams: the default until our settings have been acknowledged. */
  #streamWindowBytes = DEFAULT_WINDOW_BYTES;
  /** Whether the peer has acknowledged our settings: then they bind it (RFC 9113 §6.5.3). */
  #settingsAcknowledged = false;
  #excusedRefusals = 0;
  /** PRIORITY_UPDATE of streams not yet open (RFC 9218 §7.1), as many as can be open at most; made when there is one. */
  #earlyPriorities: Map<number, string> | null = null;

  constructor(core: ConnectionCore) {
    this.#core = core;
    this.#builder = new HeadBuilder(core.options);
    this.#block = new HeaderBlock(core.options);
  }

  /** The stream whose header block is open, so that nothing else may come; 0 for none. */
  get openBlockId(): number {
    return this.#block.streamId;
  }

  /** What is wrong with a frame while a block is open, or with a CONTINUATION; null where nothing is. */
  checkOrder(frame: Frame): Http2Fault | null {
    return this.#block.check(frame);
  }

  get settingsAcknowledged(): boolean {
    return this.#settingsAcknowledged;
  }

  /** The peer has acknowledged our settings. */
  applyOwnSettings(): void {
    if (this.#settingsAcknowledged) return;
    this.#settingsAcknowledged = true;
    const { options, streams } = this.#core;
    this.#decoder.setMaxTableSize(options.maxDecodeTableBytes);
    this.#streamWindowBytes = options.initialStreamWindowBytes;
    const change = options.initialStreamWindowBytes - DEFAULT_WINDOW_BYTES;
    for (const stream of streams.values()) stream.receiveWindow?.shift(change);
  }

  receiveHeaders(frame: Frame): void {
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

  receiveContinuation(frame: Frame): void {
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
    const decoder = this.#decoder;
    if (end - start > core.options.maxFragmentedHeaderBlockBytes) {
      core.calmDown('a header block that is too large');
      return;
    }
    const cached =
      opening && !decoder.owesSizeUpdate
        ? this.#heads.find(buffer, start, end, endStream, decoder.table)
        : null;
    if (cached !== null) {
      if (this.#admit(id)) this.#deliverRequest(id, cached.head, cached.priority);
      return;
    }
    this.#builder.begin(!opening);
    const error = decoder.decode(buffer, start, end, this.#builder);
    if (error !== null) {
      core.fail(connectionFault(ErrorCode.COMPRESSION_ERROR, error));
      return;
    }
    if (opening) {
      const head = this.#admit(id) ? this.#finishHead(id, endStream) : null;
      if (head === null) return;
      const { priority } = this.#builder;
      if (decoder.indexedOnly) this.#heads.add(buffer, start, end, endStream, decoder.table, head, priority);
      this.#deliverRequest(id, head, priority);
      return;
    }
    const stream = core.streams.get(id);
    if (stream === undefined) core.failLate(id, true);
    else this.#receiveTrailers(stream, endStream);
  }

  /** Whether the peer may open the stream now. */
  #admit(id: number): boolean {
    const core = this.#core;
    core.streams.usePeerId(id);
    // Above what GOAWAY promised: the client sends it again elsewhere (RFC 9113 §6.8).
    if (id > core.lastServedId) {
      core.streams.rememberReset(id, 'us');
      return false;
    }
    if (core.streams.peerCount < core.options.maxConcurrentStreams) return true;
    this.#refuseStream(id);
    return false;
  }

  /** The head that was decoded, or null where it was none and that has been dealt with. */
  #finishHead(id: number, endStream: boolean): Http2RequestHead | null {
    const core = this.#core;
    const builder = this.#builder;
    const head = builder.finishRequest(endStream);
    if (builder.malformed !== null) core.failStream(malformedFault(id, builder.malformed));
    else if (builder.refusal !== null) {
      const stream = this.openStream(id, endStream);
      stream.discards = true;
      core.events.receiveRefusedHead(stream, builder.refusal);
    }
    return head;
  }

  #deliverRequest(id: number, head: Http2RequestHead, ownPriority: string | null): void {
    const stream = this.openStream(id, !head.hasBody);
    stream.withoutContent = head.method === 'HEAD';
    stream.connect = head.method === 'CONNECT';
    if (head.hasBody && head.contentLength !== null) stream.expectedBytes = head.contentLength;
    const priority = this.#takeEarlyPriority(id) ?? ownPriority;
    if (priority !== null) this.prioritize(stream, priority);
    this.#core.events.receiveHead(stream, head);
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
    if (this.#settingsAcknowledged || this.#excusedRefusals >= MAX_EXCUSED_REFUSALS) return;
    this.#excusedRefusals++;
    core.budgets.provokedResets.earn(1);
  }

  #receiveTrailers(stream: Http2Stream, endStream: boolean): void {
    const core = this.#core;
    const id = stream.id;
    const builder = this.#builder;
    if (stream.reserved) {
      core.fail(protocolFault('HEADERS on a promised stream'));
    } else if (!stream.remoteOpen) {
      core.failStream(streamFault(id, ErrorCode.STREAM_CLOSED, 'HEADERS after END_STREAM'));
    } else if (stream.connect) {
      core.failStream(malformedFault(id, 'HEADERS on a connected stream'));
    } else if (!endStream) {
      core.failStream(malformedFault(id, 'trailers without END_STREAM'));
    } else if (builder.malformed !== null) {
      core.failStream(malformedFault(id, builder.malformed));
    } else if (builder.refusal !== null) {
      core.failStream(streamFault(id, ErrorCode.ENHANCE_YOUR_CALM, builder.refusal.reason));
    } else if (stream.expectedBytes > 0) {
      core.failStream(malformedFault(id, 'content and content-length differ'));
    } else {
      core.endRequest(stream, builder.finishTrailers());
    }
  }

  // --- Priorities ---

  /** `field`: a value of the `priority` field. */
  prioritize(stream: Http2Stream, field: string): void {
    const { urgency, incremental } = parsePriority(field);
    this.#core.scheduler.prioritize(stream, urgency, incremental);
  }

  #takeEarlyPriority(id: number): string | undefined {
    const early = this.#earlyPriorities;
    if (early === null || early.size === 0) return undefined;
    const field = early.get(id);
    early.delete(id);
    return field;
  }

  receivePriority(frame: Frame): void {
    const fault = parsePriorityFrame(frame);
    if (fault !== null) this.#core.judge(fault);
    else this.#core.spend(this.#core.budgets.priorities, 'too many PRIORITY frames');
  }

  receivePriorityUpdate(frame: Frame): void {
    const core = this.#core;
    const fault = parsePriorityUpdateFrame(frame);
    if (fault !== null) {
      core.fail(fault);
      return;
    }
    if (!this.#core.spend(this.#core.budgets.priorities, 'too many PRIORITY_UPDATE frames')) return;
    const id = prioritizedStreamId(frame);
    const stream = core.streams.get(id);
    if (stream !== undefined) this.prioritize(stream, prioritizedField(frame));
    else if (core.streams.isIdle(id)) this.#keepEarlyPriority(id, prioritizedField(frame));
  }

  #keepEarlyPriority(id: number, field: string): void {
    const core = this.#core;
    this.#earlyPriorities ??= new Map();
    const early = this.#earlyPriorities;
    if (id % 2 === 0) {
      core.fail(protocolFault('PRIORITY_UPDATE of a stream not pushed yet'));
      return;
    }
    if (!early.has(id)) {
      // Those of streams that were skipped.
      for (const other of early.keys()) if (!core.streams.isIdle(other)) early.delete(other);
      if (early.size + core.streams.peerCount >= core.options.maxConcurrentStreams) {
        // A client that does not know the limit yet cannot keep to it.
        if (this.#settingsAcknowledged) core.fail(protocolFault('more priorities than streams may be open'));
        return;
      }
    }
    early.set(id, field.slice(0, MAX_EARLY_PRIORITY_LENGTH));
  }
}
