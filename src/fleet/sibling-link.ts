// One link between two workers: calls for the other's sessions and their results, both ways. Does not choose what to send.
//
//   opening ──HELLO from the other──► open ──(either side ends, or says what is no frame)──► closed
//
// A call over a link is run by whoever receives it, or refused as busy; it is never passed on. So none can go in circles.
import type { Socket } from 'node:net';
import type { PreparedStatement, SqlCall } from '../database/call.ts';
import {
  abandonFrame,
  callFrame,
  FrameReader,
  helloFrame,
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

interface SentCall {
  readonly call: SqlCall;
  /** How many states the other had told when it was sent. */
  readonly told: number;
}

export interface SiblingLinkEvents {
  /** The other has said who it is. */
  opened(link: SiblingLink): void;
  /** The other has told its state, or a session of it is idle again. */
  changed(): void;
  /** Runs the call if a session is idle; false: none is. */
  run(call: SqlCall): boolean;
  abandon(call: SqlCall): void;
  /** The other has the result of a call, and may have the next one. */
  answered(link: SiblingLink): void;
  /** A call that was sent has not run: the other was busy. */
  refused(call: SqlCall): void;
  closed(link: SiblingLink): void;
}

export class SiblingLink {
  readonly #socket: Socket;
  readonly #events: SiblingLinkEvents;
  readonly #sent = new Map<number, SentCall>();
  readonly #received = new Map<number, SqlCall>();
  readonly #statementIndexes = new Map<string, number>();
  readonly #statements: PreparedStatement[] = [];
  #nextId = 1;
  #number = 0;
  #state: SiblingState = { idleSessions: 0, connections: 0, taken: 0 };
  /** Grows with each state that the other tells. */
  #told = 0;
  /** Calls that were sent since, and run: they have sessions that the state calls idle. */
  #unannounced = 0;
  #connectionsGiven = 0;
  #closed = false;

  constructor(socket: Socket, ownNumber: number, events: SiblingLinkEvents) {
    this.#socket = socket;
    this.#events = events;
    const reader = new FrameReader((frame) => this.#receive(frame));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.read(chunk);
      } catch {
        socket.destroy();
      }
    });
    // What went wrong shows as its close.
    socket.on('error', () => {});
    socket.on('close', () => this.#close());
    socket.write(helloFrame(ownNumber));
  }

  /** Of the other; 0 until it has said so. */
  get number(): number {
    return this.#number;
  }

  /** Connections of the other, those included that it was given and has not told of yet. */
  get connections(): number {
    return this.#state.connections + this.#connectionsGiven - this.#state.taken;
  }

  /** Whether the other has a session for one more call, as far as is known here. */
  get isIdle(): boolean {
    return this.#state.idleSessions - this.#unannounced > 0 && this.#socket.writableLength < MAX_UNSENT_BYTES;
  }

  /** Sends a call. It completes, or is refused. */
  send(call: SqlCall): void {
    const id = this.#nextId++;
    this.#sent.set(id, { call, told: this.#told });
    this.#unannounced += 1;
    const { parameters, epoch, resetAfter, interruptible = false, repeatable = false } = call;
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
      if (sent.call !== call) continue;
      this.#socket.write(abandonFrame(id));
      return true;
    }
    return false;
  }

  /** A connection is on its way to the other. */
  gaveConnection(): void {
    this.#connectionsGiven += 1;
  }

  tell(state: SiblingState): void {
    if (!this.#closed) this.#socket.write(stateFrame(state));
  }

  /** Ends when everything is sent. */
  end(): void {
    this.#socket.end();
  }

  #receive(frame: SiblingFrame): void {
    switch (frame.kind) {
      case 'hello':
        this.#number = frame.number;
        this.#events.opened(this);
        return;
      case 'state':
        this.#state = frame;
        this.#told += 1;
        this.#unannounced = 0;
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
      case 'result': {
        const sent = this.#sent.get(frame.id);
        if (sent === undefined) return;
        this.#sent.delete(frame.id);
        const { call } = sent;
        // A quick one has come and gone between two states, which are the same then: nobody would tell that its session is idle.
        if (sent.told === this.#told) this.#unannounced -= 1;
        if (frame.result.kind === 'busy') {
          // Whatever it had told: until it tells anew, it is asked no more.
          this.#state = { ...this.#state, idleSessions: 0 };
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
        this.#answer(id, result);
        // When its session counts as idle.
        queueMicrotask(() => this.#events.answered(this));
      },
    };
    this.#received.set(id, call);
    if (this.#events.run(call)) return;
    this.#received.delete(id);
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

  #close(): void {
    this.#closed = true;
    // Nobody is left who would take the results.
    for (const call of this.#received.values()) this.#events.abandon(call);
    this.#events.closed(this);
    for (const { call } of this.#sent.values()) {
      // What changes nothing may run again.
      if (call.interruptible === true) this.#events.refused(call);
      else call.complete({ kind: 'lost', reason: 'the worker that ran it has ended' });
    }
    this.#sent.clear();
  }
}
