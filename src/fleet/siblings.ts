// A worker's links with all others: which of them has an idle session for a call, or few connections. Every two workers have one
// link, a UNIX socket that the one with the higher number opens.
import { rm, rmdir } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { SqlCall } from '../database/call.ts';
import type { CallOverflow } from '../database/server/session-pool.ts';
import type { Observer } from '../observe/observation.ts';
import { SETTLE_MS, within } from './settling.ts';
import { SiblingLink, type SiblingLinkEvents } from './sibling-link.ts';

/** What a worker has for its siblings. */
export interface OwnSessions {
  readonly idleSessions: number;
  /** Runs the call if a session is idle, else gives false. */
  runIfIdle(call: SqlCall): boolean;
  abandon(call: SqlCall): void;
  /** Calls that wait are to be offered again. */
  offerWaiting(): void;
  /** Takes back a call that a sibling could not run. */
  putBack(call: SqlCall): void;
}

/** Each change of connections is told, but not more often. */
const TELL_EVERY_MS = 2;

/**
 * How long it may take until siblings know that there are fewer sessions for them. A worker without much to do runs out of sessions
 * with each request, for less than a millisecond; and a timer that ends before anything else does costs more than it seems to: the
 * kernel sets the clock anew with each wait and each waking.
 */
const TELL_SESSIONS_MS = 10;

/** A worker that is about to start is there by then. */
const CONNECT_AGAIN_MS = 100;

/** How many more connections than another one a worker keeps: one, and of many an eighth. */
const TOLERATED_SHARE = 8;

export class Siblings implements CallOverflow {
  readonly #number: number;
  readonly #directory: string;
  readonly #own: OwnSessions;
  readonly #connections: () => number;
  readonly #observer: Observer;
  readonly #server: Server;
  /** By the other's number. */
  readonly #links = new Map<number, SiblingLink>();
  readonly #opening = new Set<number>();
  readonly #takenFrom = new Map<number, number>();
  /** Calls of siblings: where one is to run again, it waits here. */
  readonly #received = new WeakSet<SqlCall>();
  #numbers: readonly number[] = [];
  #turn = 0;
  #tellTimer: NodeJS.Timeout | null = null;
  #sessionsTimer: NodeJS.Timeout | null = null;
  readonly #tellConnections = (): void => {
    this.#tellTimer = null;
    this.#tell();
  };
  readonly #tellSessions = (): void => {
    this.#sessionsTimer = null;
    this.#tell();
  };
  #leaving = false;
  /** Calls that siblings ran for this worker, and the other way round. */
  callsSent = 0;
  callsTaken = 0;

  constructor(
    number: number,
    directory: string,
    own: OwnSessions,
    connections: () => number,
    observer: Observer,
  ) {
    this.#number = number;
    this.#directory = directory;
    this.#own = own;
    this.#connections = connections;
    this.#observer = observer;
    this.#server = createServer((socket) => this.#link(socket));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path(this.#number), resolve);
    });
  }

  /** All workers there are; links with those that are new are opened. */
  setNumbers(numbers: readonly number[]): void {
    this.#numbers = numbers;
    for (const number of numbers) if (number < this.#number) this.#connect(number);
  }

  /** Gives the call to a sibling with an idle session, each in its turn; false: there is none, or it is a sibling's. */
  take(call: SqlCall): boolean {
    if (this.#received.has(call)) return false;
    const links = [...this.#links.values()];
    for (let i = 0; i < links.length; i++) {
      const link = links[(this.#turn + i) % links.length];
      if (link?.isIdle !== true) continue;
      this.#turn += i + 1;
      this.callsSent += 1;
      link.send(call);
      return true;
    }
    return false;
  }

  abandon(call: SqlCall): void {
    for (const link of this.#links.values()) if (link.abandon(call)) return;
  }

  /** The sibling that should serve a connection just accepted here; null: this worker. It counts as given then. */
  fewerConnections(): number | null {
    const own = this.#connections() + 1;
    let least: SiblingLink | null = null;
    for (const link of this.#links.values()) {
      if (least === null || link.connections < least.connections) least = link;
    }
    const tolerated = Math.max(1, Math.floor(own / TOLERATED_SHARE));
    if (least === null || own - least.connections <= tolerated) return null;
    least.gaveConnection();
    return least.number;
  }

  /** A connection that another one has given is here. */
  tookConnection(from: number): void {
    this.#takenFrom.set(from, (this.#takenFrom.get(from) ?? 0) + 1);
    this.connectionsChanged();
  }

  /** The number of idle sessions may have changed. */
  changed(): void {
    if (this.#leaving || this.#links.size === 0) return;
    const idle = this.#own.idleSessions;
    let news = false;
    for (const link of this.#links.values()) news = link.noticeSessions(idle) || news;
    if (news) this.#sessionsTimer ??= setTimeout(this.#tellSessions, TELL_SESSIONS_MS);
  }

  connectionsChanged(): void {
    if (this.#links.size > 0) this.#tellTimer ??= setTimeout(this.#tellConnections, TELL_EVERY_MS);
  }

  /**
   * Nothing is to be given to this worker any more; what it has is finished. Resolves when no call of a sibling can be on its way here:
   * one that came when nobody reads any more would be lost.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all(Array.from(this.#links.values(), (link) => link.leave()));
  }

  /** Ends the links when everything is sent. A sibling that hangs is not waited for. */
  async close(): Promise<void> {
    for (const timer of [this.#tellTimer, this.#sessionsTimer]) if (timer !== null) clearTimeout(timer);
    this.#numbers = [];
    await within(Promise.all(Array.from(this.#links.values(), (link) => link.end())), SETTLE_MS);
    this.#server.close();
    await rm(this.#path(this.#number), { force: true });
    // The master removes the directory; where it is gone, the last worker does.
    if (!process.connected) await rmdir(this.#directory).catch(() => undefined);
  }

  #path(number: number): string {
    return join(this.#directory, `${number}.sock`);
  }

  #connect(number: number): void {
    if (this.#leaving || this.#links.has(number) || this.#opening.has(number)) return;
    this.#opening.add(number);
    const socket = connect(this.#path(number));
    socket.once('connect', () => this.#link(socket));
    socket.once('error', () => {});
    socket.once('close', () => {
      this.#opening.delete(number);
      setTimeout(() => {
        if (this.#numbers.includes(number)) this.#connect(number);
      }, CONNECT_AGAIN_MS).unref();
    });
  }

  #link(socket: Socket): void {
    const own = this.#own;
    const events: SiblingLinkEvents = {
      opened: (link) => {
        this.#links.set(link.number, link);
        this.#tellOne(link);
      },
      changed: () => own.offerWaiting(),
      run: (call) => {
        this.#received.add(call);
        const runs = own.runIfIdle(call);
        if (runs) this.callsTaken += 1;
        return runs;
      },
      asked: () => this.changed(),
      abandon: (call) => own.abandon(call),
      refused: (call) => {
        this.callsSent -= 1;
        own.putBack(call);
      },
      closed: (link) => {
        if (this.#links.get(link.number) === link) this.#links.delete(link.number);
      },
      failed: (error) =>
        this.#observer.observe({ kind: 'internal-error', where: 'link with another worker', error }),
    };
    void new SiblingLink(socket, this.#number, events);
  }

  #tell(): void {
    for (const link of this.#links.values()) this.#tellOne(link);
  }

  #tellOne(link: SiblingLink): void {
    if (this.#leaving) {
      void link.leave();
      return;
    }
    const taken = this.#takenFrom.get(link.number) ?? 0;
    link.tell(this.#own.idleSessions, { connections: this.#connections(), taken });
  }
}
