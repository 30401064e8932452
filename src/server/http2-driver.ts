// The driver of one HTTP/2 connection: socket → machine (protocol/http2) → a Stream for each request → machine →
// socket. Keeps the connection's deadlines and its end.
//
//   open ──drain──► draining ──(no stream left)──► lingering ──(all taken; client closed, or lingerTimeoutMs)──► closed
//     └─────────────(fault)─────────────────────────────▲
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

  /** The client sends no more: its requests that are complete are still answered. */
  receiveEof(): void {
    if (this.#state === 'lingering' || this.#channels.size === 0) this.#socket.destroySoon();
    else this.drain();
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

  receiveGoaway(): void {
    this.drain();
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
    this.#pump();
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
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#drainingSinceMs = this.server.clock.nowMs;
    this.machine.drain();
    for (const channel of this.#channels) channel.drain();
    this.flushUnlessReading();
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
    this.machine.tick(nowMs);
    for (const channel of this.#channels) channel.checkDeadlines(nowMs);
    if (!this.machine.prefaceReceived && inPhaseMs > prefaceTimeoutMs) {
      this.machine.sendGoaway(ErrorCode.PROTOCOL_ERROR, 'the preface did not come in time');
    } else if (!this.machine.settingsAcknowledged && inPhaseMs > settingsTimeoutMs && this.#idle) {
      this.machine.sendGoaway(ErrorCode.SETTINGS_TIMEOUT, 'the settings were not acknowledged in time');
    } else if (this.#state === 'draining') {
      this.#checkDraining(nowMs - this.#drainingSinceMs);
    } else if (this.#idle && inPhaseMs > idleTimeoutMs) {
      this.drain();
    }
    this.#pump();
  }

  // --- inside ---

  #checkDraining(drainingMs: number): void {
    const { goawayInitialTimeoutMs, goawayCompleteTimeoutMs } = this.server.options;
    // A client that does not answer the PING gets the final GOAWAY all the same.
    if (drainingMs > goawayInitialTimeoutMs) this.machine.drain();
    if (drainingMs > goawayCompleteTimeoutMs) for (const channel of this.#channels) channel.cancel();
  }

  get #idle(): boolean {
    return this.#channels.size === 0;
  }

  /** Writes what there is, as far as the client keeps up. */
  #pump(): void {
    const socket = this.#socket;
    const { machine } = this;
    while (!socket.writableNeedDrain && machine.hasOutput && socket.writable) {
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
    this.#balance();
    if (this.#state === 'draining' && machine.drained && !machine.hasOutput) this.#close();
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
    this.#socket.end();
    this.#socket.resume();
  }
}

function channelOf(wire: Http2Stream): Http2Channel | null {
  return wire.owner instanceof Http2Channel ? wire.owner : null;
}
