// The driver of one HTTP/1 connection: socket → Http1Receiver → Stream → Http1Responder → socket, one stream at a time
// (RFC 9112 §9.3.2: answers in the order of the requests). Keeps the connection's deadlines (http1-deadlines.ts) and its end.
//
//   open ──(last response, fault, drain)──► lingering ──(all taken; client closed, or lingerTimeoutMs)──► closed
import type { Socket } from 'node:net';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { Http1Fault } from '../protocol/http1/fault.ts';
import { Http1Receiver, type Http1Events } from '../protocol/http1/receiver.ts';
import type { Http1RequestHead } from '../protocol/http1/request-head.ts';
import type { SendResult } from '../protocol/http1/send-result.ts';
import { resetSocket } from '../transport/reset-socket.ts';
import type { TakeOver } from './byte-duplex.ts';
import { BodyAllowance } from './body-allowance.ts';
import { CertifiedHead, clientCertificateField } from './client-certificate.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { ConnectionOutput } from './connection-output.ts';
import { h2cUpgrade, SWITCH_TO_H2C, type H2cUpgrade } from './h2c-upgrade.ts';
import { Http1Deadlines, type Http1Wait } from './http1-deadlines.ts';
import { Http1Responder } from './http1-responder.ts';
import { SocketDuplex } from './socket-duplex.ts';
import { giveSocket, type SocketOwner } from './socket-owner.ts';
import { Stream } from './stream.ts';
import type { BadField, StreamChannel } from './stream-channel.ts';
import { DRAINING, type ConnectionInfo } from './stream-handler.ts';

export class Http1Connection implements Http1Events, StreamChannel, Connection, SocketOwner {
  readonly #server: ConnectionHost;
  readonly #socket: Socket;
  readonly info: ConnectionInfo;
  readonly protocol = 'HTTP/1';
  readonly #output: ConnectionOutput;
  readonly #responder: Http1Responder;
  readonly #receiver: Http1Receiver;
  readonly #body = new BodyAllowance();
  readonly #deadlines: Http1Deadlines;
  /** What handlers see of the client's certificate. */
  readonly #certificate: string | null;
  #state: 'open' | 'lingering' | 'closed' = 'open';
  #stream: Stream | null = null;
  #head: Http1RequestHead | null = null;
  #requests = 0;
  /** The request of the stream is complete; without a stream: there is none. */
  #requestEnded = true;
  /** Nothing more is served after the current response. */
  #last = false;
  /** The client has closed its side. */
  #eof = false;
  #reading = false;
  #stalled = false;
  #maxSkipBodyBytes: number;

  constructor(server: ConnectionHost, socket: Socket, info: ConnectionInfo) {
    this.#server = server;
    this.#socket = socket;
    this.info = info;
    this.#output = new ConnectionOutput(socket);
    this.#certificate = clientCertificateField(info);
    this.#responder = new Http1Responder(server, this.#output);
    this.#receiver = new Http1Receiver(server.options.http1, this);
    this.#deadlines = new Http1Deadlines(server.options, socket, this.#body, server.clock.nowMs);
    this.#maxSkipBodyBytes = server.options.maxSkipBodyBytes;
    giveSocket(socket, this);
  }

  // --- SocketOwner ---

  receiveBytes(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    const { nowMs } = this.#server.clock;
    this.#deadlines.progressed(nowMs);
    if (this.#receiver.phase === 'idle') this.#deadlines.begin(nowMs);
    this.#reading = true;
    this.#receiver.receive(chunk);
    this.#reading = false;
    this.#output.flush();
    this.#balance();
  }

  receiveEof(): void {
    this.#eof = true;
    if (this.#state === 'lingering') this.#socket.destroySoon();
    if (this.#state !== 'open') return;
    // Half closed: an answer under way, and requests that were read already, are still served (RFC 9112 §9.6).
    if (this.#receiver.receiveEof() === 'incomplete' && this.#stream !== null) this.destroy();
    else if (this.#stream === null && this.#receiver.phase !== 'waiting') this.#close();
  }

  receiveRoom(): void {
    this.#deadlines.progressed(this.#server.clock.nowMs);
    if (this.#stalled) {
      this.#stalled = false;
      this.#releaseNext();
    }
    this.#stream?.receiveDrain();
    this.#balance();
  }

  receiveClosed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#server.forget(this);
    this.#stream?.receiveReset();
  }

  // --- Http1Events ---

  receiveHead(head: Http1RequestHead): void {
    const upgrade = head.upgrade === null || this.#ending ? null : h2cUpgrade(head, this.info);
    if (upgrade !== null) {
      this.#upgrade(upgrade);
      return;
    }
    this.#requests += 1;
    this.#head = head;
    this.#requestEnded = !head.hasBody;
    this.#body.begin(this.#server.clock.nowMs);
    const certificate = this.#certificate;
    const seen = certificate === null ? head : new CertifiedHead(head, certificate);
    const stream = new Stream(this.#server.streams, this, this.info, seen);
    this.#stream = stream;
    stream.open(this.#last || this.#server.draining);
    if (head.hasBody && this.#stream !== null && !this.#body.wanted) this.#receiver.pause();
  }

  receiveData(data: Buffer): void {
    this.#body.receive(data.length);
    if (this.#stream === null) {
      // The answer is complete: the rest of the body is skipped, within a bound.
      if (this.#body.skipped > this.#maxSkipBodyBytes) this.#close();
      return;
    }
    this.#stream.receiveData(data);
    if (this.#stream !== null && !this.#body.wanted) this.#receiver.pause();
  }

  receiveEnd(trailers: FieldLines): void {
    this.#requestEnded = true;
    if (this.#stream === null) this.#next();
    else if (this.#head?.hasBody === true) this.#stream.receiveEnd(trailers);
  }

  receiveFault(fault: Http1Fault): void {
    this.#refuse(fault.status, fault.reason, fault.partial);
  }

  /** RFC 9113 §3.3: prior knowledge, in clear only. The socket goes on with another driver. */
  receiveHttp2Preface(rest: Buffer): void {
    if (this.info.scheme === 'https') {
      this.#refuse(505, 'HTTP/2 over TLS has to be agreed on by ALPN', null);
      return;
    }
    this.#goOnAsHttp2(rest, null);
  }

  #upgrade(upgrade: H2cUpgrade): void {
    this.#output.flush();
    this.#socket.write(SWITCH_TO_H2C);
    this.#goOnAsHttp2(this.#receiver.takeRest(), upgrade);
  }

  #goOnAsHttp2(rest: Buffer, upgrade: H2cUpgrade | null): void {
    this.#state = 'closed';
    this.#server.acceptHttp2(this.#socket, this.info, rest, upgrade);
    this.#server.forget(this);
  }

  // --- StreamChannel ---

  get writable(): boolean {
    return this.#output.hasRoom(this.#server.options.maxUnsentBytes);
  }

  sendInform(status: number, fields: FieldLines): BadField | null {
    if (this.#head === null || this.#head.minorVersion === 0) return null; // RFC 9110 §15.2
    const result = this.#responder.sendInform(status, fields);
    this.#flushUnlessReading();
    return result.ok ? null : result;
  }

  sendResponse(status: number, fields: FieldLines, body: Buffer | string | null): BadField | null {
    const keep = this.#mayKeepAlive();
    return this.#headSent(this.#responder.sendResponse(this.#head, status, fields, body, keep));
  }

  sendHead(status: number, fields: FieldLines, contentLength: number | null): BadField | null {
    const keep = this.#mayKeepAlive();
    return this.#headSent(this.#responder.sendHead(this.#head, status, fields, contentLength, keep));
  }

  sendData(data: Buffer): void {
    this.#responder.sendData(data);
    this.#flushUnlessReading();
  }

  sendEnd(trailers: FieldLines): void {
    this.#responder.sendEnd(trailers);
    this.#flushUnlessReading();
  }

  switchProtocol(protocol: string, fields: FieldLines, takeOver: TakeOver): BadField | number {
    const head = this.#head;
    // Where the new protocol's bytes begin must not depend on who reads the body.
    if (this.#state !== 'open' || head === null || head.upgrade === null || head.hasBody) {
      return { name: 'upgrade', reason: 'the request did not ask for it' };
    }
    const result = this.#responder.sendSwitch(protocol, fields);
    if (!result.ok) return result;
    this.#output.flush();
    const rest = this.#receiver.takeRest();
    this.#state = 'closed';
    const duplex = new SocketDuplex(this.#server, this.#socket, this.info);
    this.#server.adopt(duplex);
    this.#server.forget(this);
    duplex.open(takeOver, rest, this.#eof);
    return 101;
  }

  /** HTTP/1 has none. */
  push(): boolean {
    return false;
  }

  sendReset(): void {
    this.#last = true;
    this.#output.flush();
    // With an answer begun, a reset tells the client that it is not whole, also where its end is the connection's.
    if (this.#stream?.begun === true) resetSocket(this.#socket);
    else this.#socket.destroySoon();
  }

  allowBody(bytes: number): void {
    const head = this.#head;
    if (head === null || this.#requestEnded) return;
    const first = this.#body.allow(bytes, this.#server.clock.nowMs);
    // Not in the middle of an answer, which says all that a 100 would (RFC 9110 §10.1.1).
    if (first && head.expectContinue && this.#stream?.begun !== true) {
      this.#responder.sendContinue();
      this.#flushUnlessReading();
    }
    this.#resumeBody();
  }

  setOptions(options: { idleTimeoutMs?: number; maxSkipBodyBytes?: number }): void {
    if (options.idleTimeoutMs !== undefined) this.#deadlines.idleTimeoutMs = options.idleTimeoutMs;
    if (options.maxSkipBodyBytes !== undefined) this.#maxSkipBodyBytes = options.maxSkipBodyBytes;
  }

  finish(): void {
    const { nowMs } = this.#server.clock;
    this.#stream = null;
    this.#deadlines.progressed(nowMs);
    if (!this.#requestEnded) this.#body.awaitFrom(nowMs);
    if (this.#state !== 'open') return;
    if (this.#last) this.#close();
    else if (this.#requestEnded) this.#next();
    else this.#resumeBody();
  }

  // --- Connection ---

  checkDeadlines(nowMs: number): void {
    const wait = this.#waitsFor();
    if (wait === 'taking' && this.#state === 'lingering') this.#deadlines.begin(nowMs);
    if (!this.#deadlines.passed(wait, nowMs)) return;
    if (wait === 'closing') this.destroy();
    else if (wait === 'taking') resetSocket(this.#socket);
    else if (wait === 'head' || wait === 'body')
      this.#refuse(408, `the request ${wait} did not come in time`, null);
    else this.#close();
  }

  drain(): void {
    this.#last = true;
    this.#stream?.cast(DRAINING);
    // A request that comes now is the last one. One that crosses the end of the connection on its way would be lost.
    if (this.#state !== 'open' || this.#stream !== null || this.#receiver.phase !== 'idle') return;
    if (this.#deadlines.isQuiet(this.#server.clock.nowMs)) this.#close();
  }

  destroy(): void {
    this.#last = true;
    this.#socket.destroy();
  }

  // --- inside ---

  /** Whether no further request is to be served. */
  get #ending(): boolean {
    return this.#last || this.#eof || this.#server.draining;
  }

  #waitsFor(): Http1Wait {
    if (this.#socket.writableLength > 0) return 'taking';
    if (this.#state === 'lingering') return 'closing';
    if (this.#stream !== null || this.#receiver.phase === 'body') {
      return !this.#requestEnded && (this.#stream === null || this.#body.wanted) ? 'body' : 'handler';
    }
    if (this.#receiver.phase === 'head') return 'head';
    return this.#last ? 'last-request' : 'request';
  }

  #mayKeepAlive(): boolean {
    const head = this.#head;
    if (head === null || this.#last || this.#server.draining) return false;
    if (this.#requests >= this.#server.options.maxKeepalive) return false;
    if (this.#requestEnded) return true;
    // RFC 9110 §10.1.1: a client told no 100 may or may not send the body it announced.
    if (head.expectContinue && !this.#body.everAllowed) return false;
    return (head.contentLength ?? 0) - this.#body.received <= this.#maxSkipBodyBytes;
  }

  #headSent(result: SendResult): BadField | null {
    if (!result.ok) return result;
    if (result.close) this.#last = true;
    this.#flushUnlessReading();
    return null;
  }

  #flushUnlessReading(): void {
    if (!this.#reading) this.#output.flushSoon();
  }

  /** Lets the receiver go on, from outside of its own loop. */
  #continue(step: () => void): void {
    this.#reading = true;
    step();
    this.#reading = false;
    this.#output.flush();
    this.#balance();
    // All that came before the end is answered, unless the answers wait to be taken.
    if (this.#eof && this.#stream === null && this.#receiver.phase !== 'waiting') this.#close();
  }

  #next(): void {
    if (this.#last || this.#server.draining) {
      this.#close();
      return;
    }
    this.#head = null;
    if (!this.writable) {
      // The client does not read what it asked for: its next request waits until it has.
      this.#stalled = true;
      return;
    }
    this.#releaseNext();
  }

  #releaseNext(): void {
    this.#deadlines.begin(this.#server.clock.nowMs);
    if (this.#reading) this.#receiver.releaseNext();
    else this.#continue(() => this.#receiver.releaseNext());
  }

  #resumeBody(): void {
    if (this.#reading) this.#receiver.resume();
    else this.#continue(() => this.#receiver.resume());
  }

  /** Reads from the socket only as long as the receiver takes what comes. */
  #balance(): void {
    if (this.#state !== 'open') return;
    const full = this.#receiver.bufferedBytes > this.#server.options.maxUnsentBytes;
    if (full !== this.#socket.isPaused()) {
      if (full) this.#socket.pause();
      else this.#socket.resume();
    }
  }

  /** The request cannot be read (further): answers it where that is still possible, and ends the connection. */
  #refuse(status: number, reason: string, partial: { method: string; path: string } | null): void {
    this.#last = true;
    if (this.#state !== 'open') return;
    this.#server.streams.observer.observe({
      kind: 'request-refused',
      peer: this.info.peerAddress,
      status,
      reason,
    });
    const stream = this.#stream;
    this.#stream = null;
    if (stream?.begun === true) {
      resetSocket(this.#socket);
    } else if (stream !== null || this.#head === null) {
      this.#responder.sendEarlyError(this.#head, status, reason, partial);
    }
    stream?.receiveReset();
    this.#close();
  }

  /** Ends our side, and reads on for a while: data that nobody reads would reset the connection and lose the answer. */
  #close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'lingering';
    this.#deadlines.begin(this.#server.clock.nowMs);
    this.#output.flush();
    this.#socket.end();
    this.#socket.resume();
    if (this.#eof) this.#socket.destroySoon();
  }
}
