// What the receiving and the sending half of a connection share: streams, windows, settings, output; and how streams and
// connections end. Neither parses nor encodes.
import type { FieldLines } from '../http/field-lines.ts';
import { connectionFault, ErrorCode, streamFault } from './fault.ts';
import type { Http2Fault } from './fault.ts';
import type { Http2Events } from './events.ts';
import { FloodBudgets } from './flood-budgets.ts';
import type { FloodBudget } from './flood-budgets.ts';
import { DEFAULT_WINDOW_BYTES, ReceiveWindow, SendWindow } from './flow-window.ts';
import { MAX_STREAM_ID, protocolFault } from './frames/frame.ts';
import { writeGoawayFrame } from './frames/goaway-frame.ts';
import { writeRstStreamFrame } from './frames/rst-stream-frame.ts';
import { writeWindowUpdateFrame } from './frames/window-update-frame.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Http2Options } from './options.ts';
import { Scheduler } from './scheduler.ts';
import { PeerSettings } from './settings.ts';
import type { Http2Stream } from './stream.ts';
import { StreamEvent } from './stream-states.ts';
import { StreamTable } from './stream-table.ts';

export class ConnectionCore {
  readonly options: Http2Options;
  readonly events: Http2Events;
  readonly writer = new FrameWriter();
  readonly streams = new StreamTable();
  readonly scheduler = new Scheduler();
  readonly budgets: FloodBudgets;
  readonly peerSettings = new PeerSettings();
  readonly sendWindow = new SendWindow(DEFAULT_WINDOW_BYTES);
  readonly receiveWindow: ReceiveWindow;
  /** Octets queued on all streams. */
  queuedBytes = 0;
  /** Octets of DATA sent on all streams. */
  sentBytes = 0;
  /** Why the connection is over, or null. */
  fault: Http2Fault | null = null;
  /** The peer has sent GOAWAY: it accepts no pushed streams any more. */
  peerGoaway = false;
  /** The last stream that our GOAWAY promises to serve. */
  lastServedId = MAX_STREAM_ID;

  constructor(options: Http2Options, events: Http2Events) {
    this.options = options;
    this.events = events;
    this.budgets = new FloodBudgets(options);
    this.receiveWindow = new ReceiveWindow(
      Math.max(options.initialConnectionWindowBytes, DEFAULT_WINDOW_BYTES),
      options.maxConnectionWindowBytes,
    );
  }

  /** Ends the connection (RFC 9113 §5.4.1). */
  fail(fault: Http2Fault): void {
    if (this.fault !== null) return;
    this.fault = fault;
    const lastId = Math.min(this.streams.lastPeerId, this.lastServedId);
    writeGoawayFrame(this.writer, lastId, fault.code, fault.reason);
    this.events.receiveFault(fault);
  }

  /** Does what a fault asks for. */
  judge(fault: Http2Fault): void {
    if (fault.kind === 'stream') this.failStream(fault);
    else this.fail(fault);
  }

  /** Resets a stream that the peer did something wrong on, or that is gone (RFC 9113 §5.4.2). */
  failStream(fault: Http2Fault): void {
    // RST_STREAM must not be sent for an idle stream (RFC 9113 §6.4).
    if (this.streams.isIdle(fault.streamId)) {
      this.fail(connectionFault(fault.code, fault.reason));
      return;
    }
    if (!this.budgets.provokedResets.spend(this.budgets.answers)) {
      this.calmDown('too many streams had to be reset');
      return;
    }
    this.streams.rememberReset(fault.streamId, 'us');
    writeRstStreamFrame(this.writer, fault.streamId, fault.code);
    const stream = this.streams.get(fault.streamId);
    if (stream === undefined) return;
    stream.move(StreamEvent.RESET);
    this.closeStream(stream);
    this.events.receiveReset(stream, fault.code, fault);
  }

  /** A frame that only open streams can have, on one that is not. `cheap`: one that no window holds back. */
  failLate(id: number, cheap: boolean): void {
    const { streams } = this;
    const by = streams.resetBy(id);
    // It may have been on its way when we reset the stream (RFC 9113 §5.1).
    if (by === 'us') {
      if (cheap) this.spend(this.budgets.unknownFrames, 'too many frames on streams that were reset');
      return;
    }
    if (by === 'peer') {
      this.failStream(streamFault(id, ErrorCode.STREAM_CLOSED, 'a frame after RST_STREAM'));
    } else if (streams.isIdle(id) || streams.wasSkipped(id)) {
      this.fail(protocolFault('a frame on a stream that was never opened'));
    } else {
      this.fail(connectionFault(ErrorCode.STREAM_CLOSED, 'a frame on a closed stream'));
    }
  }

  /** Resets a stream because we want to. */
  resetStream(stream: Http2Stream, code: number): void {
    if (!stream.move(StreamEvent.RESET)) return;
    this.streams.rememberReset(stream.id, 'us');
    writeRstStreamFrame(this.writer, stream.id, code);
    this.closeStream(stream);
  }

  /** Spends one of a budget. False: it is used up, and so is the connection. */
  spend(budget: FloodBudget, reason: string): boolean {
    if (budget.spend(this.budgets.answers)) return true;
    this.calmDown(reason);
    return false;
  }

  calmDown(reason: string): void {
    this.fail(connectionFault(ErrorCode.ENHANCE_YOUR_CALM, reason));
  }

  /** The request is complete. */
  endRequest(stream: Http2Stream, trailers: FieldLines): void {
    stream.move(StreamEvent.RECEIVE_END);
    if (stream.closed) this.closeStream(stream);
    if (!stream.discards) this.events.receiveEnd(stream, trailers);
  }

  /** Forgets a stream whose state is closed: what it queued, and what of the connection's window it held. */
  closeStream(stream: Http2Stream): void {
    this.streams.close(stream);
    this.scheduler.remove(stream);
    this.queuedBytes -= stream.queuedBytes;
    stream.queue = null;
    stream.queuedBytes = 0;
    const window = stream.receiveWindow;
    if (window === null) return;
    stream.receiveWindow = null;
    if (window.unread > 0) this.releaseConnection(window.unread);
  }

  /** Puts a stream among those that can send, or takes it out, as its queue and window say. */
  reschedule(stream: Http2Stream): void {
    if (stream.queuedBytes > 0 && stream.sendWindow.available > 0) this.scheduler.add(stream);
    else this.scheduler.remove(stream);
  }

  /** Gives octets back to the peer, for the stream (while it may send) and the connection. */
  releaseStream(stream: Http2Stream, bytes: number): void {
    const window = stream.receiveWindow;
    if (window === null) return;
    const increment = window.release(bytes);
    if (increment > 0 && stream.remoteOpen) writeWindowUpdateFrame(this.writer, stream.id, increment);
    this.releaseConnection(bytes);
  }

  releaseConnection(bytes: number): void {
    const increment = this.receiveWindow.release(bytes);
    if (increment > 0) writeWindowUpdateFrame(this.writer, 0, increment);
  }
}
