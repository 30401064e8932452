// One stream of an HTTP/2 connection that carries another protocol (RFC 8441 §5), as its ByteDuplex: the payload of DATA frames
// is the bytes, END_STREAM the end of a side, RST_STREAM the end of both.
import { ByteWriter } from '../protocol/http/byte-writer.ts';
import { NO_FIELDS } from '../protocol/http/field-lines.ts';
import { PieceQueue } from '../protocol/http/piece-queue.ts';
import { ErrorCode } from '../protocol/http2/fault.ts';
import type { Http2Connection } from '../protocol/http2/connection.ts';
import type { Http2Stream } from '../protocol/http2/stream.ts';
import type { Observer } from '../observe/observation.ts';
import type { ByteDuplex, ByteReceiver, TakeOver } from './byte-duplex.ts';
import type { ConnectionHost } from './connection.ts';
import type { ConnectionInfo } from './stream-handler.ts';

/** What a tunnel needs of its connection. */
export interface TunnelHost {
  readonly server: ConnectionHost;
  readonly info: ConnectionInfo;
  readonly machine: Http2Connection;
  flushUnlessReading(): void;
}

export class Http2Tunnel implements ByteDuplex {
  readonly writer = new ByteWriter();
  readonly #host: TunnelHost;
  readonly #wire: Http2Stream;
  readonly #over: () => void;
  #receiver: ByteReceiver | null = null;
  /** What came while nobody reads; the stream's window, which is not given back meanwhile, bounds it. */
  readonly #kept = new PieceQueue();
  #reading = false;
  #paused = false;
  #flushScheduled = false;
  #eof = false;
  #eofTold = false;
  #ended = false;
  #takenMs = 0;
  /** Octets that had left when something was last waiting; -1: nothing was. */
  #sentBytes = -1;

  /** `over` is called when neither side has anything to say any more. */
  constructor(host: TunnelHost, wire: Http2Stream, over: () => void) {
    this.#host = host;
    this.#wire = wire;
    this.#over = over;
  }

  /** `rest`: what has come already; `eof`: and nothing more will. */
  open(takeOver: TakeOver, rest: PieceQueue | null, eof: boolean): void {
    this.#receiver = takeOver(this);
    for (let chunk = rest?.take(); chunk !== undefined; chunk = rest?.take()) this.receive(chunk);
    if (eof) this.receiveEof();
    if (this.#host.server.draining) this.drain();
    this.flushSoon();
  }

  // --- from the connection ---

  receive(data: Buffer): void {
    if (this.#paused || !this.#kept.isEmpty) {
      this.#kept.pushCopy(data);
      return;
    }
    this.#deliver(data);
    this.#flush();
  }

  receiveEof(): void {
    this.#eof = true;
    this.#deliverKept();
  }

  receiveDrain(): void {
    if (this.writable) this.#receiver?.receiveDrain();
  }

  receiveDisconnect(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.receiveDisconnect();
  }

  /** That it takes something at all is the machine's to see to (Http2Options.stalledTimeoutMs). */
  checkDeadlines(nowMs: number): void {
    const { queuedBytes, sentBytes } = this.#wire;
    const before = this.#sentBytes;
    this.#sentBytes = queuedBytes > 0 ? sentBytes : -1;
    if (queuedBytes > 0 ? sentBytes !== before : before >= 0) this.#takenMs = nowMs;
    this.#receiver?.checkDeadlines(nowMs);
  }

  drain(): void {
    this.#receiver?.drain();
  }

  // --- ByteDuplex ---

  get observer(): Observer {
    return this.#host.server.streams.observer;
  }

  get peerAddress(): string {
    return this.#host.info.peerAddress;
  }

  get nowMs(): number {
    return this.#host.server.clock.nowMs;
  }

  get lingerTimeoutMs(): number {
    return this.#host.server.options.lingerTimeoutMs;
  }

  flushSoon(): void {
    if (this.#reading || this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  get writable(): boolean {
    const { maxUnsentBytes } = this.#host.server.options;
    if (this.writer.length >= maxUnsentBytes) this.#flush();
    if (this.#wire.queuedBytes < maxUnsentBytes) return true;
    // Has the machine tell of the next frame that leaves, also far below its own limit.
    this.#wire.senderWaits = true;
    return false;
  }

  get unsentBytes(): number {
    return this.writer.length + this.#wire.queuedBytes;
  }

  get takenMs(): number {
    return this.#takenMs;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#kept.isEmpty || this.#eof) queueMicrotask(() => this.#deliverKept());
  }

  end(): void {
    if (this.#ended) return;
    this.#flush();
    this.#ended = true;
    this.#host.machine.sendEnd(this.#wire, NO_FIELDS);
    this.#host.flushUnlessReading();
    this.resume();
    this.#finishIfOver();
  }

  destroy(): void {
    if (this.#receiver === null) return;
    this.#host.machine.sendReset(this.#wire, ErrorCode.CANCEL);
    this.#host.flushUnlessReading();
    this.#finish();
  }

  // --- inside ---

  #deliver(data: Buffer): void {
    this.#reading = true;
    this.#receiver?.receive(data);
    this.#reading = false;
    this.#host.machine.releaseData(this.#wire, data.length);
  }

  #deliverKept(): void {
    while (!this.#paused && this.#receiver !== null) {
      const chunk = this.#kept.take();
      if (chunk === undefined) break;
      this.#deliver(chunk);
    }
    if (this.#eof && !this.#eofTold && !this.#paused && this.#kept.isEmpty) {
      this.#eofTold = true;
      this.#receiver?.receiveEof();
      this.#finishIfOver();
    }
    this.#flush();
  }

  #flush(): void {
    if (this.#ended || this.writer.length === 0) {
      this.#host.flushUnlessReading();
      return;
    }
    for (const piece of this.writer.takeAll()) this.#host.machine.sendData(this.#wire, piece, false);
    this.#host.flushUnlessReading();
  }

  #finishIfOver(): void {
    if (this.#ended && this.#eofTold) this.#finish();
  }

  #finish(): void {
    this.#over();
    this.receiveDisconnect();
  }
}
