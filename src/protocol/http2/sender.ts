// The sending half of a connection: heads, bodies, trailers, pushes as frames, within the peer's windows and limits. What
// has to wait is queued with its stream and sent by `pump`. Not the receiving half: receiver.ts.
import type { FieldLines } from '../http/field-lines.ts';
import { PieceQueue } from '../http/piece-queue.ts';
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './fault.ts';
import { writeContinuationHeader } from './frames/continuation-frame.ts';
import { writeDataHeader } from './frames/data-frame.ts';
import { FRAME_HEADER_BYTES, FrameFlag, FrameType, MAX_STREAM_ID, putFrameHeader } from './frames/frame.ts';
import { PROMISED_ID_BYTES, putPushPromiseStart } from './frames/push-promise-frame.ts';
import { HpackEncoder, NO_CONTENT_LENGTH } from './hpack/encoder.ts';
import type { BadField } from './hpack/encoder.ts';
import { announcedLength, isSuccess, withoutForbidden } from './response-rules.ts';
import { DEFAULT_TABLE_BYTES } from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamEvent } from './stream-states.ts';

/** Texts up to this length are copied by a loop: calling into the runtime costs more. */
const MAX_LOOPED_TEXT = 64;
/** A DATA frame shorter than this because of a window is what small WINDOW_UPDATEs bring about. */
const SMALL_FRAME_BYTES = 1024;
const NO_TEXT = '';
/** RFC 9113 §8.6: there is none in HTTP/2. */
const SWITCHING_PROTOCOLS = 101;
const NOT_INFORMATIONAL: BadField = {
  name: ':status',
  reason: 'the status is not one of an informational response',
};

/** The request that a push promises the answer of (RFC 9113 §8.4): safe, cacheable, without content. */
export interface PushedRequest {
  readonly method: 'GET' | 'HEAD';
  readonly scheme: string;
  readonly authority: string;
  /** With the query. */
  readonly path: string;
  readonly fields: FieldLines;
}

export class Sender {
  readonly #core: ConnectionCore;
  readonly #encoder: HpackEncoder;
  #maxFrameBytes: number;

  constructor(core: ConnectionCore) {
    this.#core = core;
    this.#encoder = new HpackEncoder(core.options.maxEncodeTableBytes, DEFAULT_TABLE_BYTES);
    this.#maxFrameBytes = Math.min(core.options.maxFrameBytesSent, core.peerSettings.maxFrameBytes);
  }

  /** After the peer's settings have changed. */
  applyPeerSettings(): void {
    const { options, peerSettings } = this.#core;
    this.#encoder.setMaxTableSize(peerSettings.takeLeastHeaderTableBytes());
    this.#encoder.setMaxTableSize(peerSettings.headerTableBytes);
    this.#maxFrameBytes = Math.min(options.maxFrameBytesSent, peerSettings.maxFrameBytes);
  }

  sendInform(stream: Http2Stream, status: number, fields: FieldLines): BadField | null {
    if (!stream.headOpen) return null;
    if (status < 100 || status > 199 || status === SWITCHING_PROTOCOLS) return NOT_INFORMATIONAL;
    return this.#writeHead(stream.id, `${status}`, fields, NO_CONTENT_LENGTH, NO_TEXT, NO_TEXT, false);
  }

  sendHead(
    stream: Http2Stream,
    status: number,
    fields: FieldLines,
    contentLength: number | null,
    date: string,
    server: string | null,
  ): BadField | null {
    return this.#sendHead(stream, status, fields, contentLength, date, server, stream.withoutContent);
  }

  sendResponse(
    stream: Http2Stream,
    status: number,
    fields: FieldLines,
    body: Buffer | string | null,
    date: string,
    server: string | null,
  ): BadField | null {
    if (!stream.headOpen) return null;
    const withoutContent = body === null || stream.withoutContent || (stream.connect && isSuccess(status));
    const length = body === null ? null : byteLength(body);
    const refused = this.#sendHead(stream, status, fields, length, date, server, withoutContent);
    if (refused === null && body !== null && stream.bodyOpen) this.sendData(stream, body, true);
    return refused;
  }

  #sendHead(
    stream: Http2Stream,
    status: number,
    fields: FieldLines,
    contentLength: number | null,
    date: string,
    server: string | null,
    withoutContent: boolean,
  ): BadField | null {
    if (!stream.headOpen) return null;
    const length = announcedLength(stream, status, fields, contentLength);
    const end = withoutContent || status === 204 || status === 304 || length === 0;
    const refused = this.#writeHead(stream.id, `${status}`, fields, length, date, server ?? NO_TEXT, end);
    if (refused !== null) return refused;
    stream.headSent = true;
    stream.move(StreamEvent.SEND_HEADERS);
    stream.announcedBytes = Math.max(length, -1);
    if (end) this.#end(stream);
    return null;
  }

  /** True: go on. False: wait for receiveDrain. */
  sendData(stream: Http2Stream, data: Buffer | string, end: boolean): boolean {
    if (!stream.bodyOpen) return true;
    const length = byteLength(data);
    if (typeof data === 'string' && this.#canSendNow(stream, length)) {
      this.#sendText(stream, data, length, end);
      return true;
    }
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!this.#announced(stream, length, end)) return true;
    if (length === 0) {
      if (end) this.#endBody(stream);
      return true;
    }
    if (this.#canSendNow(stream, length)) {
      writeDataHeader(this.#core.writer, stream.id, length, end);
      this.#core.writer.writeBytes(bytes, 0, length);
      this.#sent(stream, length, false);
      if (end) this.#end(stream);
      return true;
    }
    return this.#enqueue(stream, bytes, end);
  }

  sendEnd(stream: Http2Stream, trailers: FieldLines): BadField | null {
    if (!stream.bodyOpen) return null;
    if (trailers.length === 0 || stream.connect) {
      this.sendData(stream, NO_TEXT, true);
      return null;
    }
    const refused = this.#encoder.check(trailers);
    if (refused !== null || !this.#announced(stream, 0, true)) return refused;
    const allowed = withoutForbidden(trailers);
    if (allowed.length === 0) this.#endBody(stream);
    else if (stream.queuedBytes > 0) stream.ending = allowed;
    else this.#sendTrailers(stream, allowed);
    return null;
  }

  /** Null: the peer does not let us push, or the parent is over. */
  sendPush(parent: Http2Stream, request: PushedRequest): Http2Stream | BadField | null {
    const { peerSettings, peerGoaway, streams, options } = this.#core;
    const limit = Math.min(peerSettings.maxConcurrentStreams, options.maxPushedStreams);
    const id = streams.lastOwnId + 2;
    const open = parent.fromPeer && (parent.headOpen || parent.bodyOpen);
    if (!open || !peerSettings.enablePush || peerGoaway) return null;
    if (streams.ownCount >= limit || id > MAX_STREAM_ID) return null;
    const { method, scheme, authority, path } = request;
    const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path];
    const refused = this.#writePromise(parent.id, id, [...pseudo, ...request.fields]);
    if (refused !== null) return refused;
    const stream = new Http2Stream(id, peerSettings.initialWindowBytes);
    stream.move(StreamEvent.SEND_PUSH_PROMISE);
    stream.withoutContent = method === 'HEAD';
    streams.lastOwnId = id;
    streams.open(stream);
    return stream;
  }

  /** Sends queued bodies until so much output is gathered, or the windows are used up. */
  pump(maxBytes: number): void {
    const { scheduler, writer, sendWindow } = this.#core;
    while (writer.size < maxBytes && sendWindow.available > 0) {
      const stream = scheduler.peek();
      if (stream === null) return;
      this.#sendQueued(stream);
    }
  }

  #canSendNow(stream: Http2Stream, length: number): boolean {
    const { scheduler, writer, sendWindow, options } = this.#core;
    return (
      stream.queuedBytes === 0 &&
      // Whoever has waited goes first.
      scheduler.empty &&
      length <= sendWindow.available &&
      length <= stream.sendWindow.available &&
      length <= this.#maxFrameBytes &&
      writer.size < options.maxGatheredBytes
    );
  }

  /** `length`: its octets in UTF-8. */
  #sendText(stream: Http2Stream, text: string, length: number, end: boolean): void {
    if (!this.#announced(stream, length, end) || (length === 0 && !end)) return;
    const writer = this.#core.writer;
    writeDataHeader(writer, stream.id, length, end);
    writer.ensure(length);
    const { buffer, position } = writer;
    if (length === text.length && length <= MAX_LOOPED_TEXT) {
      for (let i = 0; i < length; i++) buffer[position + i] = text.charCodeAt(i);
    } else {
      buffer.write(text, position, 'utf8');
    }
    writer.position = position + length;
    this.#sent(stream, length, false);
    if (end) this.#end(stream);
  }

  /** Holds a body to its content-length (RFC 9113 §8.1.1). False: it does not fit, and the stream has been reset. */
  #announced(stream: Http2Stream, length: number, end: boolean): boolean {
    if (stream.announcedBytes < 0) return true;
    stream.announcedBytes -= length;
    if (stream.announcedBytes >= 0 && !(end && stream.announcedBytes > 0)) return true;
    this.#core.resetStream(stream, ErrorCode.INTERNAL_ERROR);
    return false;
  }

  #enqueue(stream: Http2Stream, bytes: Buffer, end: boolean): boolean {
    const core = this.#core;
    stream.queue ??= new PieceQueue();
    stream.queue.push(bytes);
    stream.queuedBytes += bytes.length;
    core.queuedBytes += bytes.length;
    if (end) stream.ending = 'end';
    core.reschedule(stream);
    const { maxStreamBufferBytes, maxConnectionBufferBytes } = core.options;
    if (stream.queuedBytes < maxStreamBufferBytes && core.queuedBytes < maxConnectionBufferBytes) return true;
    stream.senderWaits = true;
    return false;
  }

  /** One DATA frame of the queue, as long as it may be. */
  #sendQueued(stream: Http2Stream): void {
    const core = this.#core;
    const room = Math.min(this.#maxFrameBytes, core.sendWindow.available, stream.sendWindow.available);
    const length = Math.min(room, stream.queuedBytes);
    const last = length === stream.queuedBytes;
    writeDataHeader(core.writer, stream.id, length, last && stream.ending === 'end');
    this.#writeQueue(stream, length);
    this.#sent(stream, length, !last && length < SMALL_FRAME_BYTES);
    stream.queuedBytes -= length;
    core.queuedBytes -= length;
    if (!last && stream.sendWindow.available > 0) core.scheduler.turn(stream);
    else core.scheduler.remove(stream);
    if (last && stream.ending === 'end') this.#end(stream);
    else if (last && typeof stream.ending !== 'string') this.#sendTrailers(stream, stream.ending);
    else if (stream.senderWaits && this.#hasRoom(stream)) {
      stream.senderWaits = false;
      core.events.receiveDrain(stream);
    }
  }

  /** Whether a sender that waits may go on: where the connection has enough, only once its stream has nothing left. */
  #hasRoom(stream: Http2Stream): boolean {
    const { options, queuedBytes } = this.#core;
    if (stream.queuedBytes === 0) return true;
    return (
      stream.queuedBytes * 2 <= options.maxStreamBufferBytes && queuedBytes < options.maxConnectionBufferBytes
    );
  }

  #writeQueue(stream: Http2Stream, length: number): void {
    const queue = stream.queue as PieceQueue;
    let left = length;
    while (left > 0) {
      const bytes = queue.next as Buffer;
      const start = stream.queueOffset;
      const end = Math.min(bytes.length, start + left);
      this.#core.writer.writeBytes(bytes, start, end);
      left -= end - start;
      stream.queueOffset = end;
      if (end === bytes.length) {
        queue.take();
        stream.queueOffset = 0;
      }
    }
  }

  #sent(stream: Http2Stream, length: number, cutSmall: boolean): void {
    const core = this.#core;
    core.sendWindow.available -= length;
    stream.sendWindow.available -= length;
    stream.sentBytes += length;
    core.sentBytes += length;
    if (!cutSmall) core.budgets.windowUpdates.earn(2);
  }

  #endBody(stream: Http2Stream): void {
    if (stream.queuedBytes > 0) {
      stream.ending = 'end';
      return;
    }
    writeDataHeader(this.#core.writer, stream.id, 0, true);
    this.#end(stream);
  }

  #sendTrailers(stream: Http2Stream, trailers: FieldLines): void {
    this.#writeHead(stream.id, NO_TEXT, trailers, -1, NO_TEXT, NO_TEXT, true);
    this.#end(stream);
  }

  /** END_STREAM has been sent. */
  #end(stream: Http2Stream): void {
    stream.move(StreamEvent.SEND_END);
    this.#core.budgets.answers++;
    if (stream.closed) this.#core.closeStream(stream);
  }

  #writeHead(
    streamId: number,
    status: string,
    fields: FieldLines,
    contentLength: number,
    date: string,
    server: string,
    endStream: boolean,
  ): BadField | null {
    const writer = this.#core.writer;
    const room = this.#encoder.maxBlockBytes(fields) + date.length + server.length;
    writer.ensure(FRAME_HEADER_BYTES + room);
    const start = writer.position;
    const blockStart = start + FRAME_HEADER_BYTES;
    const end = this.#encoder.encode(writer.buffer, blockStart, status, fields, contentLength, date, server);
    if (end < 0) return this.#encoder.refused;
    const length = end - blockStart;
    const flags = endStream ? FrameFlag.END_STREAM : 0;
    if (length <= this.#maxFrameBytes) {
      putFrameHeader(
        writer.buffer,
        start,
        length,
        FrameType.HEADERS,
        flags | FrameFlag.END_HEADERS,
        streamId,
      );
      writer.position = end;
    } else {
      const rest = Buffer.from(writer.buffer.subarray(blockStart + this.#maxFrameBytes, end));
      putFrameHeader(writer.buffer, start, this.#maxFrameBytes, FrameType.HEADERS, flags, streamId);
      writer.position = blockStart + this.#maxFrameBytes;
      this.#writeContinuations(streamId, rest);
    }
    return null;
  }

  #writePromise(parentId: number, promisedId: number, fields: FieldLines): BadField | null {
    const writer = this.#core.writer;
    const prefix = FRAME_HEADER_BYTES + PROMISED_ID_BYTES;
    writer.ensure(prefix + this.#encoder.maxBlockBytes(fields));
    const start = writer.position;
    const blockStart = start + prefix;
    const end = this.#encoder.encode(writer.buffer, blockStart, NO_TEXT, fields, -1, NO_TEXT, NO_TEXT);
    if (end < 0) return this.#encoder.refused;
    const first = Math.min(end - blockStart, this.#maxFrameBytes - PROMISED_ID_BYTES);
    const whole = blockStart + first === end;
    const rest = whole ? null : Buffer.from(writer.buffer.subarray(blockStart + first, end));
    putPushPromiseStart(writer.buffer, start, first, parentId, promisedId, whole);
    writer.position = blockStart + first;
    if (rest !== null) this.#writeContinuations(parentId, rest);
    return null;
  }

  #writeContinuations(streamId: number, rest: Buffer): void {
    const writer = this.#core.writer;
    for (let at = 0; at < rest.length; at += this.#maxFrameBytes) {
      const end = Math.min(at + this.#maxFrameBytes, rest.length);
      writeContinuationHeader(writer, streamId, end - at, end === rest.length);
      writer.copyBytes(rest, at, end);
    }
  }
}

/** Octets of a body, strings as UTF-8. */
function byteLength(body: Buffer | string): number {
  if (typeof body !== 'string') return body.length;
  if (body.length > MAX_LOOPED_TEXT) return Buffer.byteLength(body);
  for (let i = 0; i < body.length; i++) if (body.charCodeAt(i) > 0x7f) return Buffer.byteLength(body);
  return body.length;
}
