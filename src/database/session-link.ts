// What carries the bytes of one PostgreSQL session: shared memory of the embedded engine, or a server's socket. A link
// knows nothing of the messages it carries; the session above it does.

/**
 * Not a message of PostgreSQL: the whole answer to an exchange that a link with `guardsEpoch` refused to run. Its type
 * byte is one that PostgreSQL does not use.
 */
export const REFUSED_RESPONSE = 0x21;

export interface SessionLink {
  /**
   * Whether the link's far end refuses exchanges whose epoch is older than the catalog's, by answering them with one
   * RefusedResponse in place of everything else.
   */
  readonly guardsEpoch: boolean;
  /** Whether the far end itself resets what a call left in the session; else the session sends the reset. */
  readonly resetsSession: boolean;
  /**
   * Whether a backend is the session's own for one transaction only (a pooler is in between), so that nothing may be left in it
   * for later: no prepared statement, no setting. Default false.
   */
  readonly sharesBackends?: boolean;
  /** Who gets what arrives; set once, before the first `send`. */
  attach(receiver: LinkReceiver): void;
  /**
   * Sends the bytes of one exchange, which ends with Sync or is one Query. The bytes are copied or written before it
   * returns. A link may gather several exchanges into one write.
   */
  send(bytes: Buffer, options: ExchangeOptions): void;
  /** Sends what was gathered, at the end of a turn. */
  flush?(): void;
  /** Gives the link up; the receiver hears `lost`. */
  close(reason: string): void;
}

export interface ExchangeOptions {
  /** Epoch of the catalog that the exchange depends on; null where it does not. */
  readonly epoch: number | null;
  readonly resetAfter: boolean;
  /** Whether a transaction that it leaves open stays open for the next exchange, instead of being rolled back. */
  readonly keepsTransaction: boolean;
}

export interface LinkReceiver {
  /** Bytes as they arrived, in any division, valid during the call only. */
  receive(bytes: Buffer): void;
  /** The link is gone; nothing is heard of it afterwards. */
  lost(loss: LinkLoss): void;
}

export interface LinkLoss {
  readonly reason: string;
  /** How many of the newest exchanges certainly did not run; 0 where the link cannot know (a socket cannot). */
  readonly unstarted: number;
  /** Whether it was ended because the exchange that ran took too long. */
  readonly timedOut: boolean;
}
