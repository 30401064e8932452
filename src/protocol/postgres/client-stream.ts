// What a server reads from one client: startup requests first, then messages. Answers nothing and knows no session.
//
//            SSLRequest, GSSENCRequest (each at most once)
//                  ┌──────┐
//   START ─────────┴──────▶ START ── StartupMessage ──▶ MESSAGES
//     ├── CancelRequest ──▶ DONE
//     └── anything else ──▶ BROKEN
import type { MessageSink, ProtocolViolation } from './message-splitter.ts';
import { FieldReader } from './field-reader.ts';
import { MessageSplitter } from './message-splitter.ts';
import { STARTUP } from './message-types.ts';

/** What PostgreSQL allows (MAX_STARTUP_PACKET_LENGTH). */
export const MAX_STARTUP_BYTES = 10_000;

/** Parameters of a startup packet whose names begin so are options of the protocol, not settings. */
const PROTOCOL_OPTION = '_pq_.';

export interface ClientSink extends MessageSink {
  /** The client asks for encryption first; one byte answers it. */
  encryptionRequested(kind: 'ssl' | 'gss'): void;
  /** The client wants another connection's statement cancelled, and nothing else. */
  cancelRequested(processId: number, secretKey: Buffer): void;
  /** `unknownOptions` and a minor version above 0 are to be answered with NegotiateProtocolVersion. */
  started(parameters: ReadonlyMap<string, string>, minorVersion: number, unknownOptions: string[]): void;
}

export class ClientStream {
  readonly #sink: ClientSink;
  readonly #messages: MessageSplitter;
  readonly #asked = new Set<'ssl' | 'gss'>();
  #startup: Buffer | null = Buffer.alloc(0);
  #violation: ProtocolViolation | null = null;

  constructor(sink: ClientSink, maxMessageBytes: number) {
    this.#sink = sink;
    this.#messages = new MessageSplitter(sink, maxMessageBytes);
  }

  /** Takes bytes as they come, in any division. After a violation everything is refused with it. */
  receive(bytes: Buffer): ProtocolViolation | null {
    if (this.#violation !== null) return this.#violation;
    let rest = bytes;
    if (this.#startup !== null) {
      let held: Buffer = this.#startup.length === 0 ? rest : Buffer.concat([this.#startup, rest]);
      for (;;) {
        if (held.length < 4) {
          this.#startup = Buffer.from(held);
          return null;
        }
        const length = held.readInt32BE(0);
        if (length < 8 || length > MAX_STARTUP_BYTES) return this.#break(`startup packet of ${length} bytes`);
        if (held.length < length) {
          this.#startup = Buffer.from(held);
          return null;
        }
        const packet = held.subarray(4, length);
        held = held.subarray(length);
        if (this.#receiveStartup(packet, held.length)) break;
        if (this.#violation !== null) return this.#violation;
      }
      this.#startup = null;
      rest = held;
    }
    this.#violation = this.#messages.receive(rest);
    return this.#violation;
  }

  /** Returns whether messages follow. */
  #receiveStartup(packet: Buffer, following: number): boolean {
    const request = packet.readInt32BE(0);
    if (request === STARTUP.sslRequest || request === STARTUP.gssEncRequest) {
      const kind = request === STARTUP.sslRequest ? 'ssl' : 'gss';
      // What follows before the answer would be taken for encrypted by a man in the middle's victim (CVE-2021-23214).
      if (this.#asked.has(kind) || following > 0) this.#break(`unexpected bytes with a ${kind} request`);
      else {
        this.#asked.add(kind);
        this.#sink.encryptionRequested(kind);
      }
      return false;
    }
    if (request === STARTUP.cancelRequest) {
      if (packet.length >= 12) this.#sink.cancelRequested(packet.readInt32BE(4), packet.subarray(8));
      this.#break('nothing may follow a cancel request');
      return false;
    }
    if (request >> 16 !== STARTUP.protocol30 >> 16) {
      this.#break(`protocol ${request >> 16}.${request & 0xffff} is not spoken here`);
      return false;
    }
    const parameters = new Map<string, string>();
    const unknownOptions: string[] = [];
    const fields = new FieldReader(packet, 4, packet.length);
    for (;;) {
      const name = fields.cstring();
      if (name === '') break;
      const value = fields.cstring();
      if (name.startsWith(PROTOCOL_OPTION)) unknownOptions.push(name);
      else parameters.set(name, value);
    }
    if (fields.overrun || fields.remaining > 0) {
      this.#break('malformed startup packet');
      return false;
    }
    this.#sink.started(parameters, request & 0xffff, unknownOptions);
    return true;
  }

  #break(reason: string): ProtocolViolation {
    this.#violation ??= { kind: 'protocol-violation', reason };
    return this.#violation;
  }
}
