// The driver of one HTTP/2 connection: socket → machine (protocol/http2) → a Stream for each request → machine →
// socket. Keeps the connection's deadlines and its end.
//
//   open ──drain, GOAWAY, idle, client closed──► draining ──(no stream left)──► lingering ──(all taken; …)──► closed
//     └─────────────────────────(fault)─────────────────────────────────────────────▲
//                                                                … client closed, or lingerTimeoutMs
import type { Socket } from 'node:net';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import { Http2Connection } from '../protocol/http2/connection.ts';
import type { Http2Events } from '../protocol/http2/events.ts';
import { ErrorCode, type Http2Fault } from '../protocol/http2/fault.ts';
import type { HeadRefusal } from '../protocol/http2/head-builder.ts';
import type { Http2Stream } from '../protocol/http2/stream.ts';
import { resetSocket } from '../transport/reset-socket.ts';
import { CertifiedHead, clientCertificateField } from './client-certificate.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { earlyError } from './early-error.ts';
import type { ChannelHead, H2cUpgrade } from './h2c-upgrade.ts';
import { Http2Channel, type ChannelHost } from './http2-channel.ts';
import { SendProgress } from './send-progress.ts';
import { giveSocket, type SocketOwner } from './socket-owner.ts';
import type { ConnectionInfo } from './stream-handler.ts';

export class Http2Driver implements Http2Events, Connection, ChannelHost, SocketOwner {
  readonly server: ConnectionHost;
  readonly info: ConnectionInfo;
  readonly protocol = 'HTTP/2';
  readonly machine: Http2Connection;
  idleTimeoutMs: number;
  /** What handlers see of the client's certificate. */
  readonly #certificate: string | null;
  readonly #socket: Socket;
  readonly #progress = new SendProgress();
  readonly #channels = new Set<Http2Channel>();
  #state: 'open' | 'draining' | 'lingering' | 'closed' = 'open';
  /** The client has closed its side: what its windows hold back will never be asked for. */
  #eof = false;
  /** The streams have been told that the connection goes away. */
  #told = false;
  #reading = false;
  #flushScheduled = false;
  #phaseSinceMs: number;
  #drainingSinceMs = 0;

  /**
   * `first`: what was read from the socket before it was known what is spoken on it. `upgrade`: the request that was answered
   * 101, which is stream 1.
   */
  constructor(
    server: ConnectionHost,
    socket: Socket,
    info: ConnectionInfo,
    first: Buffer | null,
    upgrade: H2cUpgrade | null,
  ) {
    this.server = server;
    this.info = info;
    this.#socket = socket;
    this.#certificate = clientCertificateField(info);
    this.idleTimeoutMs = server.options.idleTimeoutMs;
    this.#phaseSinceMs = server.clock.nowMs;
    this.machine = new Http2Connection(this, server.options.http2);
    this.machine.tick(server.clock.nowMs);
    giveSocket(socket, this);
    if (server.draining) this.drain();
    if (upgrade !== null) this.#receiveUpgrade(upgrade);
    if (first === null) this.#pump();
    else this.receiveBytes(first);
  }

  // --- SocketOwner ---

  receiveBytes(chunk: Buffer): void {
    if (this.#state === 'lingering' || this.#state === 'closed') return;
    this.#reading = true;
    this.machine.receive(chunk);
    this.#reading = false;
    this.#pump();
  }

  receiveRoom(): void {
    this.#pump();
  }

  #receiveUpgrade({ head, settings }: H2cUpgrade): void {
    const wire = this.machine.receiveUpgrade(settings, head.method);
    if (wire !== null) this.receiveHead(wire, head);
  }

  /** The client sends no more: its requests that are complete are still answered, as far as its windows let the answers through. */
  receiveEof(): void {
    this.#eof = true;
    if (this.#state === 'lingering') this.#socket.destroySoon();
    if (this.#state === 'lingering' || this.#state === 'closed') return;
    for (const channel of this.#channels) channel.receiveEof();
    this.drain();
    // No stream is on its way any more, and no PING comes back.
    this.machine.drain();
    this.#pump();
  }

  receiveClosed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.server.forget(this);
    for (const channel of this.#channels) channel.receiveReset();
  }

  // --- Http2Events ---

  receiveHead(wire: Http2Stream, head: ChannelHead): void {
    const certificate = this.#certificate;
    const seen = certificate === null ? head : new CertifiedHead(head, certificate, head.protocol);
    const channel = new Http2Channel(this, wire, seen);
    wire.owner = channel;
    this.#channels.add(channel);
    channel.open();
    if (this.#told) channel.drain();
  }

  receiveRefusedHead(wire: Http2Stream, { status, reason }: HeadRefusal): void {
    this.refuse(wire, status, reason);
    this.machine.sendReset(wire, ErrorCode.NO_ERROR);
  }

  receiveData(wire: Http2Stream, data: Buffer): void {
    channelOf(wire)?.receiveData(data);
  }

  receiveEnd(wire: Http2Stream, trailers: FieldLines): void {
    channelOf(wire)?.receiveEnd(trailers);
  }

  receiveReset(wire: Http2Stream): void {
    channelOf(wire)?.receiveReset();
  }

  receiveDrain(wire: Http2Stream): void {
    channelOf(wire)?.receiveDrain();
  }

  /** It opens no further streams; those that it has go on for as long as they like (RFC 9113 §6.8). */
  receiveGoaway(): void {
    this.#windDown();
  }

  receivePong(): void {}

  receiveFault(fault: Http2Fault): void {
    this.server.streams.observer.observe({
      kind: 'request-refused',
      peer: this.info.peerAddress,
      status: 0,
      reason: `HTTP/2: ${fault.reason}`,
    });
    for (const channel of this.#channels) channel.receiveReset();
    this.#close();
  }

  // --- for the channels ---

  /** Answers a request that no stream will see, or that cannot go on. */
  refuse(wire: Http2Stream, status: number, reason: string): void {
    const { observer, handlers } = this.server.streams;
    observer.observe({ kind: 'request-refused', peer: this.info.peerAddress, status, reason });
    const { fields, body, ...error } = earlyError(handlers, status, reason, null);
    const { clock, options } = this.server;
    this.machine.sendResponse(wire, error.status, fields, body, clock.date, options.serverName);
  }

  finish(channel: Http2Channel): void {
    this.#channels.delete(channel);
    this.#phaseSinceMs = this.server.clock.nowMs;
  }

  flushUnlessReading(): void {
    if (this.#reading || this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#pump();
    });
  }

  // --- Connection ---

  drain(): void {
    this.#windDown();
    if (this.#told) return;
    this.#told = true;
    for (const channel of this.#channels) channel.drain();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  checkDeadlines(nowMs: number): void {
    const { lingerTimeoutMs, prefaceTimeoutMs, settingsTimeoutMs } = this.server.options;
    const { idleTimeoutMs } = this;
    const inPhaseMs = nowMs - this.#phaseSinceMs;
    const taking = this.#socket.writableLength > 0;
    if (!taking) this.#progress.reset();
    else if (this.#progress.stalled(this.#socket, nowMs, idleTimeoutMs)) resetSocket(this.#socket);
    if (this.#state === 'lingering') {
      if (taking) this.#phaseSinceMs = nowMs;
      else if (inPhaseMs > lingerTimeoutMs) this.destroy();
      return;
    }
    this.machine.tick(nowMs, !taking);
    for (const channel of this.#channels) channel.checkDeadlines(nowMs);
    if (!this.machine.prefaceReceived) {
      if (inPhaseMs > prefaceTimeoutMs)
        this.machine.sendGoaway(ErrorCode.PROTOCOL_ERROR, 'the preface did not come in time');
    } else if (!this.#idle) {
      this.#phaseSinceMs = nowMs;
    } else if (!this.machine.settingsAcknowledged && inPhaseMs > settingsTimeoutMs) {
      this.machine.sendGoaway(ErrorCode.SETTINGS_TIMEOUT, 'the settings were not acknowledged in time');
    } else if (inPhaseMs > idleTimeoutMs) {
      this.#windDown();
    }
    // One that has closed its side may be gone altogether, and only what is written to it shows that.
    if (this.#eof) this.machine.sendPing(0);
    if (this.#state === 'draining') this.#checkDraining(nowMs - this.#drainingSinceMs);
    this.#pump();
  }

  // --- inside ---

  /** Takes no further streams, and closes once those that are here have ended. */
  #windDown(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#drainingSinceMs = this.server.clock.nowMs;
    this.machine.drain();
    this.flushUnlessReading();
  }

  #checkDraining(drainingMs: number): void {
    const { goawayInitialTimeoutMs, goawayCompleteTimeoutMs } = this.server.options;
    // A client that does not answer the PING gets the final GOAWAY all the same.
    if (drainingMs > goawayInitialTimeoutMs) this.machine.drain();
    if (drainingMs > goawayCompleteTimeoutMs) for (const wire of this.machine.streams) this.#cancel(wire);
  }

  #cancel(wire: Http2Stream): void {
    const channel = channelOf(wire);
    if (channel === null) this.machine.sendReset(wire, ErrorCode.CANCEL);
    else channel.cancel();
  }

  /** An answer may still be on its way when its channel is done with it. */
  get #idle(): boolean {
    return this.#channels.size === 0 && this.machine.streamCount === 0;
  }

  /** Writes what there is, as far as the client keeps up. */
  #pump(): void {
    const { machine } = this;
    this.#write(false);
    if (this.#eof && !machine.hasOutput && machine.queuedBytes > 0) {
      for (const wire of machine.streams) if (wire.queuedBytes > 0) this.#cancel(wire);
      this.#write(false);
    }
    this.#balance();
    if (this.#state === 'draining' && machine.drained && !machine.hasOutput) this.#close();
  }

  /** `all`: also what the client is too slow for, which is bounded once the machine has a fault. */
  #write(all: boolean): void {
    const socket = this.#socket;
    const { machine } = this;
    while (machine.hasOutput && socket.writable) {
      if (!all && socket.writableNeedDrain) break;
      const pieces = machine.takeOutput();
      const [first] = pieces;
      if (first === undefined) break;
      if (pieces.length === 1) {
        socket.write(first);
        continue;
      }
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
  }

  /** Heads and acknowledgements have no flow-control window: a client that reads nothing is not read from either. */
  #balance(): void {
    const full = this.machine.outputBytes > this.server.options.maxUnsentBytes;
    if (full === this.#socket.isPaused()) return;
    if (full) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Ends our side, and reads on for a while, so that what was written last is not lost to a reset. */
  #close(): void {
    if (this.#state === 'lingering' || this.#state === 'closed') return;
    this.#state = 'lingering';
    this.#phaseSinceMs = this.server.clock.nowMs;
    this.#write(true);
    this.#socket.end();
    this.#socket.resume();
    if (this.#eof) this.#socket.destroySoon();
  }
}

function channelOf(wire: Http2Stream): Http2Channel | null {
  return wire.owner instanceof Http2Channel ? wire.owner : null;
}
