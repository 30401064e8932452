// One link between two workers: calls for the other's sessions and their results, both ways. Does not choose what to send.
//
//   opening ──HELLO from the other──► open ──(either side ends, or says what is no frame)──► closed
//
// A call over a link is run by whoever receives it, or refused as busy; it is never passed on. So none can go in circles.
//
// Who is about to end says LEAVE and goes on reading until the other has said LEFT: a call that crosses the LEAVE on its way is refused,
// and not lost.
import type { Socket } from 'node:net';
import type { PreparedStatement, SqlCall } from '../database/call.ts';
import { giveSocket, type SocketOwner } from '../server/socket-owner.ts';
import {
  abandonFrame,
  callFrame,
  FrameReader,
  helloFrame,
  leaveFrame,
  leftFrame,
  resultFrame,
  stateFrame,
  statementFrame,
  type SiblingCall,
  type SiblingFrame,
  type SiblingResult,
  type SiblingState,
} from './sibling-frames.ts';

/** Bytes that may wait to be sent before the other counts as busy: a few large requests. */
const MAX_UNSENT_BYTES = 1_048_576;

/** Statements that the other is told of before the numbering begins anew; as many as a session keeps prepared (session.ts). */
const MAX_STATEMENTS = 2000;

const NOTHING: SiblingState = { sessions: 0, connections: 0, taken: 0 };

export interface SiblingLinkEvents {
  /** The other has said who it is. */
  opened(link: SiblingLink): void;
  /** The other has told its state, or has a session or room for another call again. */
  changed(): void;
  /** Runs the call if a session is idle; false: none is. */
  run(call: SqlCall): boolean;
  abandon(call: SqlCall): void;
  /** The other has asked for a session, and got it or not: there are others for it and for the rest. */
  asked(): void;
  /** A call that was sent has not run: the other was busy. */
  refused(call: SqlCall): void;
  closed(link: SiblingLink): void;
  /** The link is of no use because of this. */
  failed(error: unknown): void;
}

export class SiblingLink implements SocketOwner {
  readonly #socket: Socket;
  readonly #events: SiblingLinkEvents;
  readonly #sent = new Map<number, SqlCall>();
  readonly #received = new Map<number, SqlCall>();
  readonly #statementIndexes = new Map<string, number>();
  readonly #statements: PreparedStatement[] = [];
  readonly #reader = new FrameReader((frame) => this.#receive(frame));
  #nextId = 1;
  #number = 0;
  #state: SiblingState = NOTHING;
  /** What the other was told last, or thinks since. */
  #told: SiblingState = NOTHING;
  /** The most sessions for the other since it was told. */
  #mostSessions = 0;
  #refused = false;
  #connectionsGiven = 0;
  /** The other has said that it takes no call any more. */
  #isLeft = false;
  #leaving = false;
  #closed = false;
  readonly #noCallsComeAnyMore = Promise.withResolvers<void>();

  constructor(socket: Socket, ownNumber: number, events: SiblingLinkEvents) {
    this.#socket = socket;
    this.#events = events;
    giveSocket(socket, this);
    socket.write(helloFrame(ownNumber));
  }

  /** Of the other; 0 until it has said so. */
  get number(): number {
    return this.#number;
  }

  /** Connections of the other, those included that it was given and has not told of yet; Infinity: it takes none. */
  get connections(): number {
    if (this.#isLeft) return Infinity;
    return this.#state.connections + this.#connectionsGiven - this.#state.taken;
  }

  /** Whether the other has a session for one more call, as far as is known here. */
  get isIdle(): boolean {
    if (this.#isLeft || this.#state.sessions <= this.#sent.size) return false;
    // What is written behind the end of a socket is lost, and that it has ended is told later.
    return this.#socket.writable && this.#socket.writableLength < MAX_UNSENT_BYTES;
  }

  /** Sends a call. It completes, or is refused. */
  send(call: SqlCall): void {
    const id = this.#nextId++;
    this.#sent.set(id, call);
    const { parameters, epoch, resetAfter, interruptible = false, repeatable = false } = call;
    // Before either of the two has its number.
    if (this.#statementIndexes.size + 2 > MAX_STATEMENTS) this.#statementIndexes.clear();
    this.#socket.cork();
    const statement = this.#indexOf(call.statement);
    const followUp = call.followUp === undefined ? null : this.#indexOf(call.followUp);
    const sent = { id, statement, followUp, parameters, epoch, resetAfter, interruptible, repeatable };
    for (const piece of callFrame(sent)) this.#socket.write(piece);
    this.#socket.uncork();
  }

  /** What the other knows the statement by; it is told of one that is new to it. */
  #indexOf(statement: PreparedStatement): number {
    const known = this.#statementIndexes.get(statement.name);
    if (known !== undefined) return known;
    const index = this.#statementIndexes.size;
    this.#statementIndexes.set(statement.name, index);
    this.#socket.write(statementFrame(index, statement));
    return index;
  }

  /** Nobody waits for the call any more. Whether it was sent over this link. */
  abandon(call: SqlCall): boolean {
    for (const [id, sent] of this.#sent) {
      if (sent !== call) continue;
      this.#socket.write(abandonFrame(id));
      return true;
    }
    return false;
  }

  /** A connection is on its way to the other. */
  gaveConnection(): void {
    this.#connectionsGiven += 1;
  }

  /**
   * The number of idle sessions is another. Where there were none for the other, it is told at once; whatever else is new is told with
   * the next `tell`. Whether there is.
   */
  noticeSessions(idle: number): boolean {
    const sessions = idle + this.#received.size;
    if (sessions > this.#mostSessions) this.#mostSessions = sessions;
    if (sessions === this.#told.sessions) return false;
    if (sessions === 0 || this.#told.sessions > 0 || this.#refused) return true;
    this.#tell({ ...this.#told, sessions });
    return false;
  }

  /** Tells the other what is new to it. That there are fewer sessions for it is told only where they have not come back meanwhile. */
  tell(idle: number, others: Omit<SiblingState, 'sessions'>): void {
    const sessions = idle + this.#received.size;
    const told = this.#told;
    const most = Math.max(sessions, this.#mostSessions);
    const news = sessions > told.sessions ? sessions : Math.min(most, told.sessions);
    this.#mostSessions = sessions;
    if (news !== told.sessions || others.connections !== told.connections || others.taken !== told.taken)
      this.#tell({ ...others, sessions: news });
  }

  /** Takes no call and no connection any more. Resolves when none can be on its way here, or the link is closed. */
  leave(): Promise<void> {
    if (!this.#leaving && !this.#closed) this.#socket.write(leaveFrame());
    this.#leaving = true;
    return this.#noCallsComeAnyMore.promise;
  }

  #tell(state: SiblingState): void {
    if (this.#closed || this.#leaving) return;
    this.#told = state;
    this.#refused = false;
    this.#socket.write(stateFrame(state));
  }

  /** Ends the link. Resolves when the system has everything that was to be sent. */
  end(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  receiveBytes(chunk: Buffer): void {
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#events.failed(error);
      this.#socket.destroy();
    }
  }

  receiveEof(): void {}

  receiveRoom(): void {
    this.#events.changed();
  }

  #receive(frame: SiblingFrame): void {
    switch (frame.kind) {
      case 'hello':
        this.#number = frame.number;
        this.#events.opened(this);
        return;
      case 'state':
        this.#state = frame;
        this.#events.changed();
        return;
      case 'statement':
        this.#statements[frame.index] = frame.statement;
        return;
      case 'call':
        this.#run(frame.call);
        return;
      case 'abandon': {
        const call = this.#received.get(frame.id);
        if (call !== undefined) this.#events.abandon(call);
        return;
      }
      case 'leave':
        this.#isLeft = true;
        if (!this.#closed) this.#socket.write(leftFrame());
        return;
      case 'left':
        this.#noCallsComeAnyMore.resolve();
        return;
      case 'result': {
        const call = this.#sent.get(frame.id);
        if (call === undefined) return;
        this.#sent.delete(frame.id);
        if (frame.result.kind === 'busy') {
          // Whatever it had told: until it tells anew, it is asked no more.
          this.#state = { ...this.#state, sessions: 0 };
          this.#events.refused(call);
        } else {
          call.complete(frame.result);
          this.#events.changed();
        }
      }
    }
  }

  #run({ id, statement, followUp, ...rest }: SiblingCall): void {
    const call: SqlCall = {
      ...rest,
      statement: this.#statementAt(statement),
      ...(followUp === null ? {} : { followUp: this.#statementAt(followUp) }),
      complete: (result) => {
        this.#received.delete(id);
        // Somebody else may have a session for it, the other itself included.
        if (result.kind === 'unavailable') this.#refuse(id);
        else this.#answer(id, result);
      },
    };
    this.#received.set(id, call);
    if (!this.#leaving && this.#events.run(call)) {
      this.#events.asked();
      return;
    }
    this.#received.delete(id);
    this.#refuse(id);
    this.#events.asked();
  }

  #refuse(id: number): void {
    // It counts this worker as busy until it is told anew.
    this.#told = { ...this.#told, sessions: 0 };
    this.#refused = true;
    this.#answer(id, { kind: 'busy' });
  }

  #statementAt(index: number): PreparedStatement {
    const statement = this.#statements[index];
    if (statement === undefined) throw new Error(`a call of statement ${index}, which was not described`);
    return statement;
  }

  #answer(id: number, result: SiblingResult): void {
    if (!this.#closed) this.#socket.write(resultFrame(id, result));
  }

  receiveClosed(): void {
    this.#closed = true;
    this.#noCallsComeAnyMore.resolve();
    // Nobody is left who would take the results.
    for (const call of this.#received.values()) this.#events.abandon(call);
    this.#events.closed(this);
    for (const call of this.#sent.values()) {
      // What changes nothing may run again.
      if (call.interruptible === true) this.#events.refused(call);
      else call.complete({ kind: 'lost', reason: 'the worker that ran it has ended' });
    }
    this.#sent.clear();
  }
}
