// A server's side of an HTTP/2 connection (RFC 9113): bytes in → events, calls → bytes out. No socket, no clock: the
// driver passes on what it reads, writes what `takeOutput` gives it after everything it does, and keeps the time.
import type { FieldLines } from '../http/field-lines.ts';
import { ConnectionCore } from './connection-core.ts';
import type { Http2Events } from './events.ts';
import { ErrorCode, streamFault } from './fault.ts';
import type { Http2Fault } from './fault.ts';
import { DEFAULT_WINDOW_BYTES } from './flow-window.ts';
import { MAX_STREAM_ID } from './frames/frame.ts';
import { writeGoawayFrame } from './frames/goaway-frame.ts';
import { writePingFrame } from './frames/ping-frame.ts';
import { writeSettingsFrame } from './frames/settings-frame.ts';
import { writeWindowUpdateFrame } from './frames/window-update-frame.ts';
import { FrameReader } from './frame-reader.ts';
import type { BadField } from './hpack/encoder.ts';
import { completeOptions } from './options.ts';
import type { Http2Options } from './options.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { PushedRequest } from './sender.ts';
import { ownSettings } from './settings.ts';
import type { Http2Stream } from './stream.ts';

/** The PING between the two GOAWAYs of a drain. The driver's are numbered by the driver, below. */
const DRAIN_PING = 0xffffffff;

export class Http2Connection {
  readonly #core: ConnectionCore;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #reader: FrameReader;
  #draining: 'no' | 'announced' | 'final' = 'no';
  /** nowMs of the last tick; -1 before the first. */
  #tickedMs = -1;

  /** The server's preface is in the output at once. Throws a RangeError for options that the protocol does not allow. */
  constructor(events: Http2Events, options: Partial<Http2Options> = {}) {
    const all = completeOptions(options);
    const core = new ConnectionCore(all, events);
    this.#core = core;
    this.#sender = new Sender(core);
    this.#receiver = new Receiver(core, this.#sender, (number) => this.#receivePong(number));
    this.#reader = new FrameReader(all.maxFrameBytesReceived);
    writeSettingsFrame(core.writer, ownSettings(all));
    const extra = core.receiveWindow.available - DEFAULT_WINDOW_BYTES;
    if (extra > 0) writeWindowUpdateFrame(core.writer, 0, extra);
  }

  /** Takes bytes of the peer; after a fault they are ignored. */
  receive(chunk: Buffer): void {
    if (this.#core.fault !== null) return;
    const fault = this.#reader.read(chunk, this.#receiver);
    if (fault !== null) this.#core.fail(fault);
  }

  /**
   * Takes over an HTTP/1.1 connection that asked for `Upgrade: h2c` and was answered 101: `settings` is the decoded
   * HTTP2-Settings field, and the request that asked, whose body must have been read, is stream 1 (RFC 7540 §3.2). Call
   * before `receive`. Null: the settings are faulty.
   */
  receiveUpgrade(settings: Buffer, method: string): Http2Stream | null {
    if (settings.length % 6 !== 0) {
      this.#core.fail({
        kind: 'connection',
        streamId: 0,
        code: ErrorCode.PROTOCOL_ERROR,
        reason: 'bad HTTP2-Settings',
      });
      return null;
    }
    if (!this.#receiver.receivePeerSettings(settings, 0, settings.length)) return null;
    this.#core.streams.usePeerId(1);
    const stream = this.#receiver.heads.openStream(1, true);
    stream.withoutContent = method === 'HEAD';
    return stream;
  }

  /**
   * What is to be written, in order; to be left unchanged until it is. Empty: nothing. As much of the queued bodies goes
   * along as fits into `maxBytes` (default: maxGatheredBytes): call again when the socket takes more.
   */
  takeOutput(maxBytes: number = this.#core.options.maxGatheredBytes): Buffer[] {
    if (this.#core.fault === null) this.#sender.pump(maxBytes);
    return this.#core.writer.take();
  }

  /** Whether `takeOutput` would give something now. */
  get hasOutput(): boolean {
    const { writer, scheduler, sendWindow, fault } = this.#core;
    return writer.size > 0 || (fault === null && !scheduler.empty && sendWindow.available > 0);
  }

  /** Sends an informational response, 100 to 199 but 101. What is sent on a stream that is over is dropped, here and below. */
  sendInform(stream: Http2Stream, status: number, fields: FieldLines): BadField | null {
    return this.#sender.sendInform(stream, status, fields);
  }

  /**
   * Sends the head of a response; the body follows with `sendData` and `sendEnd`, unless there can be none (HEAD, 204,
   * 304, contentLength 0): then the response is complete. Names may be in any case; fields about the connection are
   * dropped, and so is a content-length where one is given here. `date` and `server` are sent where the fields have none.
   * Where a BadField is returned, nothing was sent.
   */
  sendHead(
    stream: Http2Stream,
    status: number,
    fields: FieldLines,
    contentLength: number | null,
    date: string,
    server: string | null,
  ): BadField | null {
    return this.#sender.sendHead(stream, status, fields, contentLength, date, server);
  }

  /** Sends a whole response; a string as UTF-8. The body must be left unchanged until it is written. */
  sendResponse(
    stream: Http2Stream,
    status: number,
    fields: FieldLines,
    body: Buffer | string | null,
    date: string,
    server: string | null,
  ): BadField | null {
    return this.#sender.sendResponse(stream, status, fields, body, date, server);
  }

  /**
   * Sends content, and with `end` the end of the response. False: enough waits to be sent, receiveDrain will say when to go
   * on. More than was announced with content-length, or an end before all of it, resets the stream (INTERNAL_ERROR).
   */
  sendData(stream: Http2Stream, data: Buffer | string, end: boolean): boolean {
    return this.#sender.sendData(stream, data, end);
  }

  /** Ends the response, with trailers if there are any. Where a BadField is returned, nothing was sent. */
  sendEnd(stream: Http2Stream, trailers: FieldLines): BadField | null {
    return this.#sender.sendEnd(stream, trailers);
  }

  /** Ends the stream without (the rest of) an answer. `code`: see RFC 9113 §7. receiveReset is not called for it. */
  sendReset(stream: Http2Stream, code: ErrorCode): void {
    this.#core.resetStream(stream, code);
  }

  /** Promises a response; it is then sent on the stream returned. Null: the client does not take it. */
  sendPush(parent: Http2Stream, request: PushedRequest): Http2Stream | BadField | null {
    return this.#sender.sendPush(parent, request);
  }

  /** `number`: 0 to 2^32 - 2; receivePong gives it back. */
  sendPing(number: number): void {
    writePingFrame(this.#core.writer, number);
  }

  /** Ends the connection for a reason of ours, such as SETTINGS_TIMEOUT; nothing is received after it. */
  sendGoaway(code: ErrorCode, reason: string): void {
    this.#core.fail({ kind: 'connection', streamId: 0, code, reason });
  }

  /** Gives back octets that receiveData brought, once they have been read: only then may the client send more. */
  releaseData(stream: Http2Stream, bytes: number): void {
    this.#core.releaseStream(stream, bytes);
  }

  /** Has the rest of a request given back unread; receiveData and receiveEnd are not called for it any more. */
  discardData(stream: Http2Stream): void {
    stream.discards = true;
  }

  /** Changes whose turn it is, by a value of the `priority` field (RFC 9218 §8: a response may say it as well). */
  prioritize(stream: Http2Stream, field: string): void {
    this.#receiver.heads.prioritize(stream, field);
  }

  /**
   * Begins a graceful end: GOAWAY that refuses nothing yet, and a PING. When that has come back every stream opened
   * before is here, and the final GOAWAY follows by itself; call again for it not to wait longer. Close when `drained`.
   */
  drain(): void {
    if (this.#core.fault !== null) return;
    if (this.#draining === 'no') {
      this.#draining = 'announced';
      writeGoawayFrame(this.#core.writer, MAX_STREAM_ID, ErrorCode.NO_ERROR, '');
      writePingFrame(this.#core.writer, DRAIN_PING);
    } else if (this.#draining === 'announced') {
      this.#draining = 'final';
      this.#core.lastServedId = this.#core.streams.lastPeerId;
      writeGoawayFrame(this.#core.writer, this.#core.lastServedId, ErrorCode.NO_ERROR, '');
    }
  }

  /** Whether the final GOAWAY is out and no stream is left. */
  get drained(): boolean {
    return this.#draining === 'final' && this.#core.streams.size === 0;
  }

  /**
   * Tells the time, in ms of any clock that does not go back: refills budgets, resets stalled streams. Once a second will do. `taken`: all
   * that `takeOutput` gave has left. Where it has not, nobody can tell yet what the client does about its windows.
   */
  tick(nowMs: number, taken = true): void {
    const { budgets, streams, options, fault } = this.#core;
    if (fault !== null) return;
    if (this.#tickedMs >= 0) budgets.refill(nowMs - this.#tickedMs);
    this.#tickedMs = nowMs;
    if (options.stalledTimeoutMs === 0 || this.#core.queuedBytes === 0) return;
    for (const stream of streams.values()) {
      if (taken) this.#checkStalled(stream, nowMs);
      else stream.stalledBytes = -1;
    }
  }

  /**
   * A client that holds its windows shut makes us hold the rest of the body (CVE-2019-9517, slow readers). Where it is the window of the
   * connection that is shut, any stream that moves is progress: the others wait for their turn.
   */
  #checkStalled(stream: Http2Stream, nowMs: number): void {
    const { sendWindow, sentBytes } = this.#core;
    const isOwnShut = stream.sendWindow.available <= 0;
    const isHeld = stream.queuedBytes > 0 && (isOwnShut || sendWindow.available <= 0);
    const moved = isOwnShut ? stream.sentBytes : sentBytes;
    if (!isHeld || moved !== stream.stalledBytes) {
      stream.stalledBytes = isHeld ? moved : -1;
      stream.stalledSinceMs = nowMs;
    } else if (nowMs - stream.stalledSinceMs >= this.#core.options.stalledTimeoutMs) {
      this.#core.failStream(streamFault(stream.id, ErrorCode.CANCEL, 'the client does not read'));
    }
  }

  #receivePong(number: number): void {
    if (number === DRAIN_PING && this.#draining === 'announced') this.drain();
    else this.#core.events.receivePong(number);
  }

  /** Why the connection is over; null while it is not. */
  get fault(): Http2Fault | null {
    return this.#core.fault;
  }

  get streamCount(): number {
    return this.#core.streams.size;
  }

  /** The streams that are open, in no order: for the driver to end when the connection is over. */
  get streams(): Http2Stream[] {
    return this.#core.streams.values();
  }

  /** Octets that `takeOutput` has ready, bodies in the queue aside. A driver that cannot write stops reading as this grows. */
  get outputBytes(): number {
    return this.#core.writer.size;
  }

  /** Octets of bodies that wait for the client's windows, or for `takeOutput`. */
  get queuedBytes(): number {
    return this.#core.queuedBytes;
  }

  /** For the driver's deadlines: whether the client's preface is complete, and whether it has acknowledged our settings. */
  get prefaceReceived(): boolean {
    return this.#reader.prefaceReceived;
  }

  get settingsAcknowledged(): boolean {
    return this.#receiver.heads.settingsAcknowledged;
  }
}
