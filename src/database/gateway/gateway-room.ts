// What the clients of one gateway have in common: the engine, its parameters, and what each must know of the others.
import type { EmbeddedDatabase } from '../embedded/embedded-database.ts';

export interface RoomMember {
  readonly channels: ReadonlySet<string>;
  notify(channel: string, payload: string): void;
}

export interface RoomOptions {
  readonly maxClients: number;
  readonly holdMs: number;
  /** What every client is told of settings when it connects, in this order. */
  readonly parameters: ReadonlyMap<string, string>;
}

export class GatewayRoom {
  readonly database: EmbeddedDatabase;
  readonly holdMs: number;
  readonly parameters: ReadonlyMap<string, string>;
  readonly #maxClients: number;
  readonly #members = new Set<RoomMember>();
  readonly #holders = new Set<RoomMember>();
  #statementsAge = 0;

  constructor(database: EmbeddedDatabase, options: RoomOptions) {
    this.database = database;
    this.holdMs = options.holdMs;
    this.parameters = options.parameters;
    this.#maxClients = options.maxClients;
  }

  /** How often all prepared statements of the session were dropped. */
  get statementsAge(): number {
    return this.#statementsAge;
  }

  get members(): ReadonlySet<RoomMember> {
    return this.#members;
  }

  /** Returns false where there are as many as there may be. */
  enter(member: RoomMember): boolean {
    if (this.#members.size >= this.#maxClients) return false;
    this.#members.add(member);
    return true;
  }

  leave(member: RoomMember): void {
    this.#members.delete(member);
  }

  statementsDropped(): void {
    this.#statementsAge += 1;
    this.database.forgetStatements();
  }

  /** Notes whether `member` has objects in the session; returns whether anybody has. */
  noteObjects(member: RoomMember, holds: boolean): boolean {
    if (holds) this.#holders.add(member);
    else this.#holders.delete(member);
    return this.#holders.size > 0;
  }

  /** The session is another one from now on. */
  forgetObjects(): void {
    this.#holders.clear();
  }

  notify(channel: string, payload: string): void {
    for (const member of this.#members) member.notify(channel, payload);
  }

  /** All that the session must listen to. */
  channels(): string[] {
    const channels = new Set(this.database.channels);
    for (const member of this.#members) for (const channel of member.channels) channels.add(channel);
    return [...channels];
  }
}
