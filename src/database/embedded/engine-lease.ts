// The engine, lent to a client of the gateway for one turn: what the borrower may do with it. Whose turn it is, is decided
// in embedded-database.ts.
import type { EngineLink } from './engine-link.ts';

/** The engine, lent to a client of the gateway. */
export interface Lease {
  /** Sends bytes of the client; what they give arrives at the borrower. */
  send(bytes: Buffer): void;
  /** Whether more was sent than the engine has room for. */
  readonly backlogged: boolean;
  /** Calls `sent` once, when the engine has room for more. */
  whenSent(sent: () => void): void;
  /** Whether the engine waits for the client in the middle of a statement (COPY FROM STDIN). */
  readonly waitsInside: boolean;
  /** Has resets leave temporary tables, cursors and advisory locks alone from now on, or not any more. */
  keepObjects(keeps: boolean): void;
  /** Leaves what PostgreSQL sends where it is until `resume`, so that it waits; for a client that reads slowly. */
  pause(): void;
  resume(): void;
  /** Gives the engine back; no transaction may be open. */
  release(): void;
}

export class EngineLease implements Lease {
  readonly #link: EngineLink;
  readonly #sent: () => void;
  readonly #released: () => void;
  #over = false;

  /** `sent`: after each send. `released`: once, when the engine has been given back. */
  constructor(link: EngineLink, sent: () => void, released: () => void) {
    this.#link = link;
    this.#sent = sent;
    this.#released = released;
  }

  send(bytes: Buffer): void {
    if (this.#over) return;
    this.#link.sendPart(bytes);
    this.#sent();
  }

  get backlogged(): boolean {
    return this.#link.backlogged;
  }

  whenSent(sent: () => void): void {
    this.#link.whenFlushed(sent);
  }

  get waitsInside(): boolean {
    return this.#link.waitsInside;
  }

  keepObjects(keeps: boolean): void {
    this.#link.keepsObjects = keeps;
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  release(): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.resume();
    this.#released();
  }
}
