// PostgreSQL in this thread, acting on units: refuses those of an older catalog, runs the others, and brings the session back to
// how it was. Starts and ends nothing.
import type { MessageSink } from '../../protocol/postgres/message-splitter.ts';
import type { EngineThreadData, EngineThreadMessage } from './engine-channel.ts';
import { isViolation, parseNotification } from '../../protocol/postgres/backend-messages.ts';
import {
  writeBind,
  writeClose,
  writeExecute,
  writeParse,
  writeQuery,
  writeSync,
} from '../../protocol/postgres/frontend-messages.ts';
import { BACKEND, TRANSACTION } from '../../protocol/postgres/message-types.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { quoteIdentifier, resetStatements } from '../session-reset.ts';
import { REFUSED_RESPONSE } from '../session-link.ts';
import { ENGINE_USER, KEEP_OBJECTS, UNIT_CONTINUES, UNIT_ENDS, UNIT_RESETS } from './engine-channel.ts';
import { EngineWire } from './engine-wire.ts';
import { assertPostgresModule, PostgresLoop } from './postgres-module.ts';

export class Engine implements MessageSink {
  readonly #wire: EngineWire;
  readonly #loop: PostgresLoop;
  readonly #epoch: Float64Array;
  readonly #catalogChannel: string;
  readonly #channels: readonly string[];
  readonly #sessionUser: number;
  readonly #refused: Buffer;
  readonly #rollback: Buffer;
  #status: number = TRANSACTION.idle;
  #failed = false;
  #resetsPrepared = false;
  #identityReset: Buffer = Buffer.alloc(0);
  #fullReset: Buffer = Buffer.alloc(0);
  #settingsReset: Buffer = Buffer.alloc(0);

  constructor(module: object, data: EngineThreadData, post: (message: EngineThreadMessage) => void) {
    this.#wire = new EngineWire(data.channel, this, post);
    assertPostgresModule(module);
    this.#loop = new PostgresLoop(module, this.#wire);
    this.#epoch = new Float64Array(data.channel.epoch);
    this.#catalogChannel = data.catalogChannel;
    this.#channels = [data.catalogChannel, ...data.channels];
    this.#sessionUser = this.#loop.sessionUser;
    this.#refused = encode((writer) => {
      writer.begin(REFUSED_RESPONSE);
      writer.end();
    });
    this.#rollback = encode((writer) => writeQuery(writer, 'ROLLBACK'));
    const listens = this.#channels.map((channel) => `LISTEN ${quoteIdentifier(channel)}`);
    this.#runOwn(encode((writer) => writeQuery(writer, listens.join('; '))));
  }

  /** Until a unit ends it. */
  serve(): void {
    const wire = this.#wire;
    for (;;) {
      const { flags, epoch } = wire.nextUnit();
      if ((flags & UNIT_ENDS) !== 0) return;
      if (epoch < (this.#epoch[0] ?? 0)) {
        wire.skipUnit();
        wire.send(this.#refused);
      } else {
        this.#loop.run();
        if ((flags & UNIT_CONTINUES) === 0) this.#restore((flags & UNIT_RESETS) !== 0);
      }
      wire.finishUnit();
    }
  }

  /** For the watcher of what PostgreSQL sends. */
  message(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === BACKEND.readyForQuery) {
      this.#status = bytes[start] ?? TRANSACTION.idle;
    } else if (type === BACKEND.errorResponse) {
      this.#failed = true;
    } else {
      const notification = parseNotification(bytes, start, end);
      if (isViolation(notification) || notification.channel !== this.#catalogChannel) return;
      const epoch = Number(notification.payload);
      // From here on, what was routed with an older catalog does not run any more.
      if (epoch > (this.#epoch[0] ?? 0)) this.#epoch[0] = epoch;
    }
  }

  #restore(resets: boolean): void {
    if (this.#status !== TRANSACTION.idle) {
      this.#runOwn(this.#rollback);
      resets = true;
    }
    // Whom it acts as is seen at no cost, so nobody is taken at his word that he has left that alone.
    if (!resets && !this.#loop.userChanged(this.#sessionUser)) return;
    this.#runReset(resets);
    if (!this.#failed) return;
    // Its statements were deallocated under it.
    this.#resetsPrepared = false;
    this.#runReset(resets);
  }

  /** Of who it is, and with `all` of everything else. */
  #runReset(all: boolean): void {
    if (!this.#resetsPrepared) {
      const { identity, settings, objects } = resetStatements(this.#channels, ENGINE_USER);
      this.#identityReset = this.#prepare('identity', identity);
      this.#fullReset = this.#prepare('full', [...settings, ...objects]);
      this.#settingsReset = this.#prepare('settings', settings);
      this.#resetsPrepared = true;
    }
    this.#failed = false;
    if (this.#loop.userChanged(this.#sessionUser)) this.#runOwn(this.#identityReset);
    if (!all) return;
    const keeps = Atomics.load(this.#wire.counters, KEEP_OBJECTS) === 1;
    this.#runOwn(keeps ? this.#settingsReset : this.#fullReset);
  }

  /** Prepares the statements and returns the bytes that execute them. */
  #prepare(group: string, statements: readonly string[]): Buffer {
    this.#runOwn(
      encode((writer) => {
        for (const [index, text] of statements.entries()) {
          writeClose(writer, 'statement', `howdah ${group} ${index}`);
          writeParse(writer, `howdah ${group} ${index}`, text);
        }
        writeSync(writer);
      }),
    );
    return encode((writer) => {
      for (const index of statements.keys()) {
        writeBind(writer, '', `howdah ${group} ${index}`, [], 0);
        writeExecute(writer, '');
      }
      writeSync(writer);
    });
  }

  #runOwn(bytes: Buffer): void {
    this.#wire.beginOwn(bytes);
    this.#loop.run();
    this.#wire.endOwn();
  }
}

function encode(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter(256);
  write(writer);
  return Buffer.from(writer.take());
}
