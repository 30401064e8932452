// One SQL client of the gateway: reads its socket, waits for its turn with the engine, and keeps its transaction whole.
//
//  STARTING ──StartupMessage──▶ IDLE ──message──▶ WAITING ──lease──▶ ENTERING ──state restored──▶ ACTIVE
//                                ▲                                                                  │
//                                └── state kept, session reset, lease released ◀── LEAVING ◀────────┘
//                                                                   ReadyForQuery 'I', nothing owed
//  Whenever the client goes, or holds the engine for too long: ENDING, where what it left open is undone, then CLOSED.
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { LinkLoss } from '../session-link.ts';
import type { ClientSink } from '../../protocol/postgres/client-stream.ts';
import type { GatewayRoom, RoomMember } from './gateway-room.ts';
import type { TurnEvents } from './engine-turn.ts';
import {
  isViolation,
  parseCommandTag,
  parseErrorFields,
  parseNotification,
  writeAuthenticationOk,
  writeBackendKeyData,
  writeErrorResponse,
  writeNegotiateProtocolVersion,
  writeNotification,
  writeParameterStatus,
  writeReadyForQuery,
} from '../../protocol/postgres/backend-messages.ts';
import { ClientStream } from '../../protocol/postgres/client-stream.ts';
import { writeSync } from '../../protocol/postgres/frontend-messages.ts';
import { BACKEND, FRONTEND, TRANSACTION } from '../../protocol/postgres/message-types.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { quoteIdentifier } from '../session-reset.ts';
import { ClientChannels } from './client-channels.ts';
import { ClientRequests } from './client-requests.ts';
import { ClientStatements } from './client-statements.ts';
import { dropsStatements, mayChangeSession } from './command-tags.ts';
import { EngineTurn } from './engine-turn.ts';
import {
  DROP_OBJECTS,
  findSetting,
  parseState,
  PLAIN_STATE,
  READ_STATE,
  RESET_STATE,
  restoreState,
  startupSettings,
  type SessionState,
} from './session-state.ts';
import { mayChangeSession as textMayChangeSession } from './sql-scan.ts';

/** The largest message of a client; a whole row of COPY or parameter must fit. */
const MAX_CLIENT_MESSAGE_BYTES = 256 * 1024 * 1024;

/** What a client may send ahead of its turn before its socket is no longer read. */
const MAX_AHEAD_BYTES = 1024 * 1024;

/** How long a client that was told to go may take to close its side. */
const LINGER_MS = 1000;

type Phase = 'starting' | 'idle' | 'waiting' | 'entering' | 'active' | 'leaving' | 'ending' | 'closed';

export class GatewayClient implements ClientSink, RoomMember, TurnEvents {
  /** Settles when the client is gone and nothing of it is left in the session. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #room: GatewayRoom;
  readonly #id: number;
  readonly #prefix: string;
  readonly #stream = new ClientStream(this, MAX_CLIENT_MESSAGE_BYTES);
  readonly #turn = new EngineTurn(this);
  readonly #toClient = new MessageWriter();
  readonly #statements = new ClientStatements();
  readonly #channels = new ClientChannels();
  readonly #requests: ClientRequests;
  readonly #reported = new Map<string, string>();
  #setClosed: () => void = () => undefined;
  #phase: Phase = 'starting';
  #terminates = false;
  #state: SessionState = PLAIN_STATE;
  #holdTimer: NodeJS.Timeout | null = null;
  #sessionSuspect = false;
  /** How often all statements had been dropped when this client last prepared its own. */
  #statementsAge: number;

  constructor(socket: Socket, id: number, room: GatewayRoom) {
    this.#socket = socket;
    this.#room = room;
    this.#id = id;
    this.#prefix = `client ${id}:`;
    this.#requests = new ClientRequests(this.#prefix, this.#statements);
    this.#statementsAge = room.statementsAge;
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve;
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#receiveFromClient(bytes));
    socket.on('drain', () => {
      this.#turn.lease?.resume();
      this.#watchHold();
    });
    // A client that goes away is not an error; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#gone());
  }

  get channels(): ReadonlySet<string> {
    return this.#channels.names;
  }

  /** Ends the connection with an error; a transaction is rolled back. */
  end(code: string, message: string): void {
    if (this.#phase === 'closed' || this.#phase === 'ending') return;
    writeErrorResponse(this.#toClient, { severity: 'FATAL', code, message });
    this.flush();
    this.#socket.end();
    this.#gone();
  }

  // From the client

  encryptionRequested(): void {
    // The gateway listens on loopback only.
    this.#socket.write('N');
  }

  cancelRequested(): void {
    // PostgreSQL inside WebAssembly cannot be interrupted. The client waits for its answer, as the protocol allows.
    this.#socket.end();
  }

  started(parameters: ReadonlyMap<string, string>, minorVersion: number, unknownOptions: string[]): void {
    if (!this.#room.enter(this)) {
      this.end('53300', 'sorry, too many clients already');
      return;
    }
    this.#state = { ...PLAIN_STATE, settings: startupSettings(parameters) };
    if (minorVersion > 0 || unknownOptions.length > 0) {
      writeNegotiateProtocolVersion(this.#toClient, unknownOptions);
    }
    writeAuthenticationOk(this.#toClient);
    this.#reportParameters();
    writeBackendKeyData(this.#toClient, this.#id, randomInt(0x7fff_ffff));
    writeReadyForQuery(this.#toClient, 'idle');
    this.#phase = 'idle';
    this.flush();
  }

  message(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#phase === 'ending' || this.#phase === 'closed' || this.#terminates) return;
    if (type === FRONTEND.terminate) this.#terminates = true;
    else this.#receiveMessage(type, bytes, start, end);
  }

  #receiveFromClient(bytes: Buffer): void {
    const violation = this.#stream.receive(bytes);
    if (violation !== null) this.end('08P01', violation.reason);
    this.#proceed();
  }

  /** Does what is due, now that something came from the client or a turn is over. */
  #proceed(): void {
    const waiting = this.#requests.unsentBytes > 0;
    if (this.#phase === 'active') this.#sendToEngine();
    else if (this.#phase === 'idle' && waiting) void this.#enter();
    else if (this.#phase === 'idle' && this.#terminates) this.#gone();
    else if (this.#requests.unsentBytes > MAX_AHEAD_BYTES) this.#socket.pause();
    if (this.#phase === 'active' && this.#terminates && this.#requests.owed === 0) this.#gone();
  }

  #receiveMessage(type: number, bytes: Buffer, start: number, end: number): void {
    const received = this.#requests.receive(type, bytes, start, end);
    if (typeof received === 'string') {
      this.end('08P01', received);
      return;
    }
    if (received.mayChangeSession) this.#sessionSuspect = true;
    if (received.text === null) return;
    if (textMayChangeSession(received.text)) this.#sessionSuspect = true;
    this.#channels.noteText(received.text);
  }

  // The turn with the engine

  async #enter(): Promise<void> {
    this.#phase = 'waiting';
    try {
      this.#turn.begin(await this.#room.database.borrow(this.#turn));
      if (this.#phase !== 'waiting') {
        await this.#cleanUp(); // it left in the meantime
        return;
      }
      this.#phase = 'entering';
      await this.#restore();
      if (this.#phase !== 'entering') return;
      this.#phase = 'active';
      this.#socket.resume();
      this.#proceed();
    } catch (error) {
      this.end('57P03', error instanceof Error ? error.message : String(error));
    }
  }

  async #restore(): Promise<void> {
    const state = restoreState(this.#state);
    if (state !== '') await this.#turn.query(state);
    const dropped = this.#statementsAge !== this.#room.statementsAge;
    this.#statementsAge = this.#room.statementsAge;
    for (const parse of this.#statements.toPrepareAgain(dropped)) {
      const prepared = this.#turn.exchange((writer) => {
        writer.bytes(parse);
        writeSync(writer);
      });
      // One that cannot be prepared any more fails where the client uses it.
      await prepared.catch(() => undefined);
    }
  }

  #sendToEngine(): void {
    const lease = this.#turn.lease;
    if (lease === null) return;
    if (this.#requests.unsentBytes > 0) {
      lease.send(this.#requests.take());
      if (lease.backlogged) {
        this.#socket.pause();
        lease.whenSent(() => this.#socket.resume());
      }
    }
    this.#watchHold();
  }

  /** While the engine is the client's and waits for it: for `gatewayHoldMs` at most. */
  #watchHold(): void {
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    this.#holdTimer = null;
    const { owed, copying } = this.#requests;
    const waits = owed === 0 || copying || this.#socket.writableNeedDrain;
    if (this.#phase !== 'active' || !waits) return;
    this.#holdTimer = setTimeout(() => {
      this.end('25P03', 'terminating connection due to idle-in-transaction timeout');
    }, this.#room.holdMs);
  }

  /** The transaction is over: the session is made as it was, others get their turn, the client its ReadyForQuery. */
  async #leave(): Promise<void> {
    this.#phase = 'leaving';
    this.#watchHold();
    try {
      if (this.#sessionSuspect || this.#state.holdsObjects) {
        this.#sessionSuspect = false;
        this.#keepState(parseState(await this.#turn.query(READ_STATE)));
      }
      await this.#turn.query(RESET_STATE);
      if (this.#channels.areSuspect) await this.#listenAgain();
    } catch {
      return; // the client is gone, or the engine, and who found out saw to it
    }
    if (this.#phase !== 'leaving') return;
    this.#phase = 'idle';
    this.#statements.released();
    this.#reportParameters();
    writeReadyForQuery(this.#toClient, 'idle');
    this.#turn.end();
    this.flush();
    this.#proceed();
  }

  #keepState(state: SessionState): void {
    this.#state = state;
    this.#turn.lease?.keepObjects(this.#room.noteObjects(this, state.holdsObjects));
  }

  async #listenAgain(): Promise<void> {
    await this.#turn.query(this.#channels.listenAgain(this.#room.channels()));
  }

  // From the engine

  /** A notification of the session, which this client may listen to. */
  notify(channel: string, payload: string): void {
    if (!this.channels.has(channel)) return;
    writeNotification(this.#toClient, { processId: this.#id, channel, payload });
    this.flush();
  }

  notification(bytes: Buffer, start: number, end: number): void {
    const notification = parseNotification(bytes, start, end);
    if (!isViolation(notification)) this.#room.database.notify(notification.channel, notification.payload);
  }

  fromEngine(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === BACKEND.readyForQuery) {
      this.#receiveReady(bytes[start] ?? 0);
      return;
    }
    if (type === BACKEND.commandComplete) this.completed(parseCommandTag(bytes, start, end));
    else if (type === BACKEND.noticeResponse)
      this.#room.database.orders.hear(parseErrorFields(bytes, start, end));
    else if (type === BACKEND.copyInResponse) this.#beginCopy();
    else if (type === BACKEND.errorResponse) this.#requests.endCopy();
    this.#toClient.begin(type);
    this.#toClient.bytes(bytes.subarray(start, end));
    this.#toClient.end();
  }

  completed(tag: string): void {
    this.#requests.endCopy();
    if (mayChangeSession(tag)) this.#sessionSuspect = true;
    this.#channels.noteCommand(tag);
    if (!dropsStatements(tag)) return;
    this.#statements.clear();
    this.#room.statementsDropped();
    this.#statementsAge = this.#room.statementsAge;
  }

  flush(): void {
    if (this.#toClient.length === 0) return;
    const bytes = Buffer.from(this.#toClient.take());
    if (!this.#socket.writable || this.#socket.write(bytes) || this.#phase !== 'active') return;
    this.#turn.lease?.pause();
    this.#watchHold();
  }

  lost(loss: LinkLoss): void {
    this.#statements.clear();
    this.#state = PLAIN_STATE;
    if (loss.timedOut) this.end('57014', `canceling statement because ${loss.reason}`);
    else this.end('57P02', `the embedded PostgreSQL was lost: ${loss.reason}`);
  }

  #receiveReady(status: number): void {
    this.#requests.answered();
    const idle = status === TRANSACTION.idle;
    if (idle && this.#requests.settled) {
      void this.#leave();
      return;
    }
    writeReadyForQuery(this.#toClient, idle ? 'idle' : status === TRANSACTION.open ? 'open' : 'failed');
    this.#watchHold();
    if (this.#terminates) this.#proceed();
  }

  #beginCopy(): void {
    this.#requests.beginCopy();
    this.#watchHold();
  }

  // The end

  #gone(): void {
    if (this.#phase === 'closed' || this.#phase === 'ending') return;
    const waits = this.#phase === 'waiting';
    this.#phase = 'ending';
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    this.#room.leave(this);
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#turn.lease?.resume();
    // Who waits for a turn cleans up when it has come.
    if (!waits) void this.#cleanUp();
  }

  /** Rolls back, drops what the client had in the session, and gives the engine back. */
  async #cleanUp(): Promise<void> {
    try {
      const { names } = this.#statements;
      if (this.#turn.lease === null && (this.#state.holdsObjects || names.length > 0)) {
        this.#turn.begin(await this.#room.database.borrow(this.#turn));
      }
      if (this.#turn.lease !== null) await this.#undo(names);
    } catch {
      // The engine is lost, and with it everything that was to be cleaned up.
    }
    this.#turn.end();
    this.#phase = 'closed';
    this.#setClosed();
  }

  async #undo(statements: readonly string[]): Promise<void> {
    await this.#turn.undo(this.#requests.owed);
    await this.#turn.query(RESET_STATE);
    for (const name of statements) {
      const dropped = this.#turn.query(`DEALLOCATE ${quoteIdentifier(this.#prefix + name)}`);
      await dropped.catch(() => undefined); // its Parse had failed
    }
    if (this.#channels.areSuspect || this.channels.size > 0) await this.#listenAgain();
    if (!this.#state.holdsObjects && !this.#sessionSuspect) return;
    const holds = this.#room.noteObjects(this, false);
    if (!holds) await this.#turn.query(DROP_OBJECTS);
    this.#turn.lease?.keepObjects(holds);
  }

  #reportParameters(): void {
    for (const [name, value] of this.#room.parameters) {
      const effective = findSetting(this.#state.settings, name) ?? value;
      if (this.#reported.get(name) === effective) continue;
      this.#reported.set(name, effective);
      writeParameterStatus(this.#toClient, name, effective);
    }
  }
}
