// A socket that has left HTTP/1.1 by a 101 (Switching Protocols), as the ByteDuplex of whatever is spoken on it now. Keeps
// no protocol's deadlines but one: a client that takes nothing of what is sent to it.
import type { Socket } from 'node:net';
import type { ByteWriter } from '../protocol/http/byte-writer.ts';
import type { Observer } from '../observe/observation.ts';
import { resetSocket } from '../transport/reset-socket.ts';
import type { ByteDuplex, ByteReceiver, TakeOver } from './byte-duplex.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { ConnectionOutput } from './connection-output.ts';
import { SendProgress } from './send-progress.ts';
import { giveSocket, type SocketOwner } from './socket-owner.ts';
import type { ConnectionInfo } from './stream-handler.ts';

export class SocketDuplex implements ByteDuplex, Connection, SocketOwner {
  readonly #server: ConnectionHost;
  readonly info: ConnectionInfo;
  readonly protocol = 'upgraded';
  readonly #socket: Socket;
  readonly #output: ConnectionOutput;
  readonly #progress = new SendProgress();
  #receiver: ByteReceiver | null = null;
  #reading = false;
  #draining = false;
  #takenMs = 0;

  constructor(server: ConnectionHost, socket: Socket, info: ConnectionInfo) {
    this.#server = server;
    this.info = info;
    this.#socket = socket;
    this.#output = new ConnectionOutput(socket);
  }

  /** `rest`: what was read after the request; `eof`: and nothing more will come. */
  open(takeOver: TakeOver, rest: Buffer, eof: boolean): void {
    const socket = this.#socket;
    // HTTP may have paused it; whoever takes over may pause it again.
    socket.resume();
    const receiver = takeOver(this);
    this.#receiver = receiver;
    giveSocket(socket, this);
    if (rest.length > 0) this.receiveBytes(rest);
    if (eof) receiver.receiveEof();
    if (this.#draining || this.#server.draining) receiver.drain();
    this.flushSoon();
  }

  // --- SocketOwner ---

  receiveBytes(chunk: Buffer): void {
    this.#reading = true;
    this.#receiver?.receive(chunk);
    this.#reading = false;
    this.#output.flush();
  }

  receiveEof(): void {
    this.#receiver?.receiveEof();
  }

  receiveRoom(): void {
    this.#receiver?.receiveDrain();
  }

  receiveClosed(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#server.forget(this);
    receiver?.receiveDisconnect();
  }

  // --- ByteDuplex ---

  get observer(): Observer {
    return this.#server.streams.observer;
  }

  get peerAddress(): string {
    return this.info.peerAddress;
  }

  get nowMs(): number {
    return this.#server.clock.nowMs;
  }

  get lingerTimeoutMs(): number {
    return this.#server.options.lingerTimeoutMs;
  }

  get writer(): ByteWriter {
    return this.#output.writer;
  }

  flushSoon(): void {
    if (!this.#reading) this.#output.flushSoon();
  }

  get writable(): boolean {
    return this.#output.hasRoom(this.#server.options.maxUnsentBytes);
  }

  get unsentBytes(): number {
    return this.#output.writer.length + this.#socket.writableLength;
  }

  get takenMs(): number {
    return this.#takenMs;
  }

  #lookAtProgress(nowMs: number): void {
    const progress = this.#progress;
    if (this.#socket.writableLength > 0) {
      if (progress.stalled(this.#socket, nowMs, this.#server.options.idleTimeoutMs))
        resetSocket(this.#socket);
      this.#takenMs = progress.sinceMs;
    } else if (progress.sinceMs > 0) {
      this.#takenMs = nowMs;
      progress.reset();
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#output.flush();
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // --- Connection ---

  checkDeadlines(nowMs: number): void {
    this.#lookAtProgress(nowMs);
    this.#receiver?.checkDeadlines(nowMs);
  }

  drain(): void {
    this.#draining = true;
    this.#receiver?.drain();
  }
}
