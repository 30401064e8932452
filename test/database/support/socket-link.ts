// A SessionLink over a UNIX socket with trust authentication: enough to test a Session over a real server, no more.
import { connect, type Socket } from 'node:net';
import type { LinkReceiver, SessionLink } from '../../../src/database/session-link.ts';
import { writeStartup } from '../../../src/protocol/postgres/frontend-messages.ts';
import { MessageSplitter } from '../../../src/protocol/postgres/message-splitter.ts';
import { MessageWriter } from '../../../src/protocol/postgres/message-writer.ts';
import { BACKEND } from '../../../src/protocol/postgres/message-types.ts';

export class SocketLink implements SessionLink {
  readonly guardsEpoch = false;
  readonly resetsSession = false;
  readonly #socket: Socket;
  #receiver: LinkReceiver | null = null;
  #reason = 'the socket closed';
  #corked = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receiver?.receive(bytes));
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => this.#receiver?.lost({ reason: this.#reason, unstarted: 0, timedOut: false }));
  }

  /** Logs in as postgres. */
  static open(path: string): Promise<SocketLink> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      const writer = new MessageWriter();
      writeStartup(writer, { user: 'postgres', database: 'postgres' });
      const splitter = new MessageSplitter({
        message(type, bytes, start, end) {
          if (type === BACKEND.errorResponse) reject(new Error(bytes.toString('utf8', start, end)));
          if (type !== BACKEND.readyForQuery) return;
          socket.off('error', reject);
          socket.off('data', receive);
          resolve(new SocketLink(socket));
        },
      });
      const receive = (bytes: Buffer): void => {
        splitter.receive(bytes);
      };
      socket.on('data', receive);
      socket.write(writer.take());
    });
  }

  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  send(bytes: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(Buffer.from(bytes));
  }

  close(reason: string): void {
    this.#reason = reason;
    this.#socket.destroy();
  }
}
