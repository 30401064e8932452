// The driver of one WebSocket: bytes → WebSocketReceiver → handler → WebSocketSender → bytes. Keeps its deadlines, its
// back-pressure and its end. Knows neither what carries the bytes nor what the messages mean.
//
//   open ──close(), idle, slow, drain──► closing ──(client's close frame, or closeTimeoutMs)──► ended ──► closed
//     └──────────(client's close frame, fault, end of input)───────────────────────────────────▲
import type { DeflateCodec } from '../protocol/websocket/deflate-codec.ts';
import type { WebSocketFault } from '../protocol/websocket/fault.ts';
import type { PreparedMessage } from '../protocol/websocket/prepared-message.ts';
import { WebSocketReceiver, type WebSocketEvents } from '../protocol/websocket/receiver.ts';
import { WebSocketSender } from '../protocol/websocket/sender.ts';
import type { ByteDuplex, ByteReceiver } from './byte-duplex.ts';
import type { WebSocketOptions } from './websocket-options.ts';

export { prepareBinary, prepareText, type PreparedMessage } from '../protocol/websocket/prepared-message.ts';

export type WebSocketMessage = string | Buffer;

/** What an application does with a WebSocket. One that throws closes it with 1011. */
export interface WebSocketHandler {
  open?(socket: WebSocketConnection): void;
  /** A buffer belongs to the handler. Messages that come after `close()` was called are left out. */
  message(socket: WebSocketConnection, message: WebSocketMessage): void;
  /** `writable` is true again. */
  drain?(socket: WebSocketConnection): void;
  /** Once, last: the client's code and reason; 1005 where it gave none, 1006 where it left without a word. */
  close?(socket: WebSocketConnection, code: number, reason: string): void;
}

const GOING_AWAY = 1001;
const ABNORMAL = 1006;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

export class WebSocketConnection implements ByteReceiver, WebSocketEvents {
  readonly #bytes: ByteDuplex;
  readonly #codec: DeflateCodec | null;
  readonly #handler: WebSocketHandler;
  readonly #options: WebSocketOptions;
  readonly #receiver: WebSocketReceiver;
  readonly #sender: WebSocketSender;
  #state: 'open' | 'closing' | 'ended' | 'closed' = 'open';
  #receiving = false;
  /** Why nothing is read: the handler asked for it; the client does not take what it is sent. */
  #handlerPaused = false;
  #outputPaused = false;
  #isPaused = false;
  /** The client sends no more, and something that it has sent waits for the handler. */
  #eof = false;
  /** When the client last said something, or could have been heard; when the closing began. */
  #heardMs: number;
  #pinged = false;
  #phaseSinceMs = 0;
  #told = false;
  #dropped = 0;

  /** `codec`: for what was negotiated; closed with the connection. */
  constructor(
    bytes: ByteDuplex,
    codec: DeflateCodec | null,
    handler: WebSocketHandler,
    options: WebSocketOptions,
  ) {
    this.#bytes = bytes;
    this.#codec = codec;
    this.#handler = handler;
    this.#options = options;
    this.#receiver = new WebSocketReceiver(options.limits, codec, this);
    this.#sender = new WebSocketSender(bytes.writer, codec, options.sending);
    this.#heardMs = bytes.nowMs;
    this.#guard(() => handler.open?.(this));
  }

  // --- for the handler ---

  /** Whether messages can be sent: no close frame was sent or received. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** False while what was sent waits for the client; `drain` follows. Sending goes on up to maxUnsentBytes. */
  get writable(): boolean {
    return this.#state === 'open' && this.#bytes.writable;
  }

  /** Bytes that wait in this process for the client to take them. */
  get unsentBytes(): number {
    return this.#bytes.unsentBytes;
  }

  /** Messages left out under the policy `drop`. */
  get droppedMessages(): number {
    return this.#dropped;
  }

  /**
   * Sends a message: a string as text, bytes as binary (kept by reference: leave them unchanged). False: it is not sent, because
   * the connection is closing or the client is too slow. `compress`: by default from minCompressBytes on.
   */
  send(message: string | Uint8Array, compress?: boolean): boolean {
    if (!this.#hasRoom(message.length)) return false;
    if (typeof message === 'string') this.#sender.sendText(message, compress);
    else this.#sender.sendBinary(message, compress);
    this.#flush();
    return true;
  }

  /** Sends a message that was made into a frame for many connections. As `send`. */
  sendPrepared(message: PreparedMessage): boolean {
    if (!this.#hasRoom(message.frame.length)) return false;
    this.#sender.sendPrepared(message);
    this.#flush();
    return true;
  }

  /** Begins the closing handshake, once. Throws a RangeError for a code that may not be sent or a reason above 123 bytes. */
  close(code = 1000, reason = ''): void {
    if (this.#state !== 'open') return;
    this.#sender.sendClose(code, reason);
    this.#state = 'closing';
    this.#phaseSinceMs = this.#bytes.nowMs;
    // The client's close frame is behind what it sent before.
    this.#balance();
    this.#flush();
  }

  /** No messages until `resume`; the client is held back. */
  pause(): void {
    this.#handlerPaused = true;
    this.#balance();
  }

  resume(): void {
    this.#handlerPaused = false;
    this.#heardMs = this.#bytes.nowMs;
    this.#balance();
  }

  /** Something of the handler's went wrong: the error is observed, and the connection closed with 1011. */
  fail(error: unknown): void {
    this.#bytes.observer.observe({ kind: 'internal-error', where: 'WebSocket handler', error });
    this.close(INTERNAL_ERROR, 'internal error');
  }

  // --- ByteReceiver ---

  receive(chunk: Buffer): void {
    if (this.#state === 'ended' || this.#state === 'closed') return;
    this.#heardMs = this.#bytes.nowMs;
    this.#pinged = false;
    this.#receiving = true;
    this.#receiver.receive(chunk);
    this.#receiving = false;
  }

  receiveDrain(): void {
    if (this.#outputPaused && this.#bytes.writable) {
      this.#outputPaused = false;
      this.#heardMs = this.#bytes.nowMs;
      this.#balance();
    }
    if (this.#state === 'open' && this.#bytes.writable) this.#guard(() => this.#handler.drain?.(this));
  }

  receiveEof(): void {
    if (this.#state === 'closed') return;
    if (this.#isPaused && this.#receiver.bufferedBytes > 0) this.#eof = true;
    else this.#end(ABNORMAL, '');
  }

  receiveDisconnect(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#codec?.close();
    this.#tell(ABNORMAL, '');
  }

  checkDeadlines(nowMs: number): void {
    const { closeTimeoutMs, idleTimeoutMs, pingIntervalMs } = this.#options;
    // Whoever is still taking what was sent before cannot have answered what stands behind it.
    const { takenMs } = this.#bytes;
    const inPhaseMs = nowMs - Math.max(this.#phaseSinceMs, takenMs);
    if (this.#state === 'closing' && inPhaseMs > closeTimeoutMs) this.#end(ABNORMAL, '');
    else if (this.#state === 'ended' && inPhaseMs > this.#bytes.lingerTimeoutMs) this.#bytes.destroy();
    // Whom we do not listen to cannot be silent.
    if (this.#state !== 'open' || this.#isPaused) return;
    const silentMs = nowMs - Math.max(this.#heardMs, takenMs);
    if (silentMs > idleTimeoutMs) {
      this.close(INTERNAL_ERROR, 'no answer to a ping');
    } else if (pingIntervalMs > 0 && silentMs > pingIntervalMs && !this.#pinged) {
      this.#pinged = true;
      this.#sender.sendPing();
      this.#flush();
    }
  }

  drain(): void {
    this.close(GOING_AWAY, 'the server goes away');
  }

  // --- WebSocketEvents ---

  receiveText(text: string): void {
    this.#deliver(text);
  }

  receiveBinary(data: Buffer): void {
    this.#deliver(data);
  }

  receivePing(payload: Buffer): void {
    this.#sender.sendPong(payload);
    this.#checkOutput();
  }

  receivePong(): void {}

  receiveClose(code: number, reason: string): void {
    this.#sender.receiveClose(code);
    this.#end(code, reason);
  }

  receiveFault(fault: WebSocketFault): void {
    this.#bytes.observer.observe({
      kind: 'websocket-failed',
      peer: this.#bytes.peerAddress,
      closeCode: fault.closeCode,
      reason: fault.reason,
    });
    this.#sender.sendClose(fault.closeCode, fault.reason);
    this.#end(fault.closeCode, fault.reason);
  }

  // --- inside ---

  #deliver(message: WebSocketMessage): void {
    if (this.#state !== 'open') return;
    try {
      this.#handler.message(this, message);
    } catch (error) {
      this.fail(error);
    }
    this.#checkOutput();
  }

  /** A client that sends and does not read must not make our output grow. */
  #checkOutput(): void {
    if (this.#outputPaused || this.#bytes.writable) return;
    this.#outputPaused = true;
    this.#balance();
  }

  #hasRoom(length: number): boolean {
    if (this.#state !== 'open') return false;
    const unsent = this.#bytes.unsentBytes;
    if (unsent === 0 || unsent + length <= this.#options.maxUnsentBytes) return true;
    if (this.#options.slowClient === 'drop') this.#dropped += 1;
    else this.close(TRY_AGAIN_LATER, 'the client does not keep up');
    return false;
  }

  #flush(): void {
    if (!this.#receiving) this.#bytes.flushSoon();
  }

  /** Reads as long as nobody objects; while closing, up to the client's close frame whatever anybody says. */
  #balance(): void {
    const paused = this.#state === 'open' && (this.#handlerPaused || this.#outputPaused);
    if (paused === this.#isPaused || this.#state === 'closed') return;
    this.#isPaused = paused;
    if (paused) {
      this.#receiver.pause();
      this.#bytes.pause();
    } else {
      this.#bytes.resume();
      // From an event of the receiver, its own loop goes on.
      this.#receiver.resume();
      this.#flush();
      if (this.#eof && !this.#isPaused && !this.#receiver.isRunning) this.#end(ABNORMAL, '');
    }
  }

  /** Nothing more is said: our side ends, and what still comes is ignored. */
  #end(code: number, reason: string): void {
    if (this.#state === 'ended' || this.#state === 'closed') return;
    this.#state = 'ended';
    this.#phaseSinceMs = this.#bytes.nowMs;
    this.#isPaused = false;
    this.#bytes.end();
    this.#tell(code, reason);
  }

  #tell(code: number, reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#guard(() => this.#handler.close?.(this, code, reason));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.fail(error);
    }
  }
}
