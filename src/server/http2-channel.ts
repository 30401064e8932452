// One stream of an HTTP/2 connection as the interpreter of commands sees it. Keeps what came of the request body before it was
// asked for: the flow-control window bounds that. What is said on the wire is the machine's, protocol/http2.
import { NO_FIELDS, type FieldLines } from '../protocol/http/field-lines.ts';
import { PieceQueue } from '../protocol/http/piece-queue.ts';
import { ErrorCode } from '../protocol/http2/fault.ts';
import type { Http2Stream } from '../protocol/http2/stream.ts';
import type { TakeOver } from './byte-duplex.ts';
import { BodyAllowance } from './body-allowance.ts';
import { pushedHead, pushedRequest } from './http2-push.ts';
import { Http2Tunnel, type TunnelHost } from './http2-tunnel.ts';
import type { ChannelHead } from './h2c-upgrade.ts';
import { DRAINING } from './stream-handler.ts';
import { Stream } from './stream.ts';
import type { BadField, StreamChannel } from './stream-channel.ts';

/** What a stream needs of its connection. */
export interface ChannelHost extends TunnelHost {
  /** ServerOptions.idleTimeoutMs, of this connection. */
  idleTimeoutMs: number;
  /** Answers a request that no stream will see, or that cannot go on. */
  refuse(wire: Http2Stream, status: number, reason: string): void;
  finish(channel: Http2Channel): void;
  receiveHead(wire: Http2Stream, head: ChannelHead): void;
}

export class Http2Channel implements StreamChannel {
  readonly #driver: ChannelHost;
  readonly #wire: Http2Stream;
  readonly #head: ChannelHead;
  readonly #body = new BodyAllowance();
  readonly #stream: Stream;
  /** null before something came that was not asked for. */
  #early: PieceQueue | null = null;
  #trailers: FieldLines | null = null;
  #requestEnded: boolean;
  #over = false;
  /** After the stream was switched to another protocol. */
  #tunnel: Http2Tunnel | null = null;
  #writable = true;
  #maxSkipBodyBytes: number;

  constructor(driver: ChannelHost, wire: Http2Stream, head: ChannelHead) {
    this.#driver = driver;
    this.#wire = wire;
    this.#head = head;
    this.#requestEnded = !head.hasBody;
    this.#maxSkipBodyBytes = driver.server.options.maxSkipBodyBytes;
    this.#body.begin(driver.server.clock.nowMs);
    this.#stream = new Stream(driver.server.streams, this, driver.info, head);
  }

  open(): void {
    this.#stream.open();
  }

  // --- from the connection ---

  receiveData(data: Buffer): void {
    if (this.#tunnel !== null) {
      this.#tunnel.receive(data);
    } else if (this.#over) {
      this.#skip(data.length);
    } else if (this.#body.wanted && !this.#hasEarly) {
      this.#deliver(data);
    } else {
      this.#early ??= new PieceQueue();
      this.#early.pushCopy(data);
    }
  }

  receiveEnd(trailers: FieldLines): void {
    if (this.#tunnel !== null) {
      this.#tunnel.receiveEof();
      return;
    }
    if (this.#over) {
      this.#driver.finish(this);
      return;
    }
    this.#trailers = trailers;
    this.#deliverEarly();
  }

  receiveDrain(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.receiveDrain();
      return;
    }
    this.#writable = true;
    this.#stream.receiveDrain();
  }

  receiveReset(): void {
    this.#stream.receiveReset();
    this.#driver.finish(this);
    this.#tunnel?.receiveDisconnect();
  }

  /** The client sends no more, on the whole connection: a request that is not complete never will be. */
  receiveEof(): void {
    if (this.#tunnel !== null) this.#tunnel.receiveEof();
    else if (this.#wire.remoteOpen) this.cancel();
  }

  /** The connection goes away; a request ends by itself, or is told to. */
  drain(): void {
    if (this.#tunnel !== null) this.#tunnel.drain();
    else this.#stream.cast(DRAINING);
  }

  /** Refuses a request whose body does not come; waits no longer for the rest of one that is answered. */
  checkDeadlines(nowMs: number): void {
    if (this.#tunnel !== null) {
      this.#tunnel.checkDeadlines(nowMs);
      return;
    }
    if (this.#over) {
      if (this.#wire.localOpen) this.#body.awaitFrom(nowMs);
      else if (this.#skipsTooMuch || this.#isTooSlow(nowMs)) this.#endUnread();
      return;
    }
    if (this.#requestEnded || !this.#body.wanted || !this.#isTooSlow(nowMs)) return;
    if (this.#stream.begun) {
      this.cancel();
      return;
    }
    this.#driver.refuse(this.#wire, 408, 'the request body did not come in time');
    this.#stream.receiveReset();
    if (!this.#wire.localOpen) this.#endUnread();
  }

  #isTooSlow(nowMs: number): boolean {
    const { bodyGraceMs, minBodyBytesPerSecond } = this.#driver.server.options;
    return this.#body.tooSlow(nowMs, bodyGraceMs, minBodyBytesPerSecond);
  }

  /** Ends the stream without (the rest of) an answer. */
  cancel(): void {
    this.#driver.machine.sendReset(this.#wire, ErrorCode.CANCEL);
    this.receiveReset();
  }

  // --- StreamChannel ---

  get writable(): boolean {
    return this.#writable;
  }

  sendInform(status: number, fields: FieldLines): BadField | null {
    const bad = this.#driver.machine.sendInform(this.#wire, status, fields);
    this.#driver.flushUnlessReading();
    return bad;
  }

  sendResponse(status: number, fields: FieldLines, body: Buffer | string | null): BadField | null {
    const { machine, server } = this.#driver;
    const { date } = server.clock;
    const bad = machine.sendResponse(this.#wire, status, fields, body, date, server.options.serverName);
    this.#driver.flushUnlessReading();
    return bad;
  }

  sendHead(status: number, fields: FieldLines, contentLength: number | null): BadField | null {
    const { machine, server } = this.#driver;
    const { date } = server.clock;
    const bad = machine.sendHead(this.#wire, status, fields, contentLength, date, server.options.serverName);
    this.#driver.flushUnlessReading();
    return bad;
  }

  sendData(data: Buffer): void {
    this.#writable = this.#driver.machine.sendData(this.#wire, data, false) && this.#writable;
    this.#driver.flushUnlessReading();
  }

  sendEnd(trailers: FieldLines): void {
    const { machine } = this.#driver;
    // Trailers that cannot be sent are worth less than the answer before them.
    if (machine.sendEnd(this.#wire, trailers) !== null) machine.sendEnd(this.#wire, NO_FIELDS);
    this.#driver.flushUnlessReading();
  }

  switchProtocol(_protocol: string, fields: FieldLines, takeOver: TakeOver): BadField | number {
    if (this.#head.protocol === null) return { name: ':protocol', reason: 'the request did not ask for it' };
    const { machine, server } = this.#driver;
    const { date } = server.clock;
    const bad = machine.sendHead(this.#wire, 200, fields, null, date, server.options.serverName);
    if (bad !== null) return bad;
    this.#tunnel = new Http2Tunnel(this.#driver, this.#wire, () => this.#driver.finish(this));
    this.#tunnel.open(takeOver, this.#early, this.#trailers !== null || !this.#head.hasBody);
    this.#driver.flushUnlessReading();
    return 200;
  }

  push(path: string, fields: FieldLines): boolean {
    const { machine, info } = this.#driver;
    const request = pushedRequest(path, fields, this.#head.authority, info.scheme);
    if (request === null) return false;
    const wire = machine.sendPush(this.#wire, request);
    if (wire === null || 'reason' in wire) return false;
    // The handler that pushes is in the middle of something; the client may refuse the promise meanwhile.
    queueMicrotask(() => {
      if (wire.closed) return;
      this.#driver.receiveHead(wire, pushedHead(request));
      this.#driver.flushUnlessReading();
    });
    return true;
  }

  sendReset(): void {
    const code = this.#stream.begun ? ErrorCode.INTERNAL_ERROR : ErrorCode.CANCEL;
    this.#driver.machine.sendReset(this.#wire, code);
    this.#driver.flushUnlessReading();
  }

  allowBody(bytes: number): void {
    const first = this.#body.allow(bytes, this.#driver.server.clock.nowMs);
    if (first && this.#head.expectContinue && !this.#requestEnded && !this.#hasEarly) {
      this.#driver.machine.sendInform(this.#wire, 100, NO_FIELDS);
      this.#driver.flushUnlessReading();
    }
    if (this.#hasEarly || this.#trailers !== null) queueMicrotask(() => this.#deliverEarly());
  }

  setOptions(options: { idleTimeoutMs?: number; maxSkipBodyBytes?: number }): void {
    if (options.idleTimeoutMs !== undefined) this.#driver.idleTimeoutMs = options.idleTimeoutMs;
    if (options.maxSkipBodyBytes !== undefined) this.#maxSkipBodyBytes = options.maxSkipBodyBytes;
  }

  finish(): void {
    this.#over = true;
    if (this.#tunnel !== null) return;
    const unread = this.#early?.bytes ?? 0;
    this.#early = null;
    if (unread > 0) this.#skip(unread);
    // The rest of the request is skipped, and waited for no longer than any other body.
    if (this.#wire.remoteOpen) this.#body.awaitFrom(this.#driver.server.clock.nowMs);
    else this.#driver.finish(this);
  }

  // --- inside ---

  get #hasEarly(): boolean {
    return this.#early?.isEmpty === false;
  }

  #deliver(data: Buffer): void {
    this.#body.receive(data.length);
    this.#stream.receiveData(data);
    this.#driver.machine.releaseData(this.#wire, data.length);
  }

  #deliverEarly(): void {
    while (this.#hasEarly && this.#body.wanted && !this.#over) {
      const chunk = this.#early?.take();
      if (chunk !== undefined) this.#deliver(chunk);
    }
    const trailers = this.#trailers;
    if (trailers !== null && !this.#hasEarly) {
      this.#trailers = null;
      this.#requestEnded = true;
      this.#stream.receiveEnd(trailers);
    }
    this.#driver.flushUnlessReading();
  }

  /** The answer is made: the rest of the body is dropped, within a bound (RFC 9113 §8.1). */
  #skip(bytes: number): void {
    this.#body.receive(bytes);
    if (!this.#skipsTooMuch) this.#driver.machine.releaseData(this.#wire, bytes);
    else if (!this.#wire.localOpen) this.#endUnread();
    // Otherwise the client has to wait: a reset would take away what it has not been sent yet of the answer.
  }

  get #skipsTooMuch(): boolean {
    return this.#body.skipped > this.#maxSkipBodyBytes;
  }

  /** Asks the client to send no more of a request whose answer it has (RFC 9113 §8.1: NO_ERROR). */
  #endUnread(): void {
    this.#driver.machine.sendReset(this.#wire, ErrorCode.NO_ERROR);
    this.#driver.finish(this);
  }
}
