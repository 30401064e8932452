// The keys that TLS session tickets are encrypted with (RFC 8446 §4.6.1, RFC 5077): one secret for all who may resume one another's
// sessions, renewed after a while. Not how it gets from one process to another.
import { createHash, hkdfSync, randomBytes } from 'node:crypto';

/** A secret as it travels between processes. */
export interface TicketSecret {
  readonly base64: string;
  /** ms since the epoch. */
  readonly sinceMs: number;
}

/** Node.js: 16 bytes of name, 16 of HMAC key, 16 of AES key. */
const KEYS_BYTES = 48;

/** Whoever learns a ticket key can read the TLS 1.2 sessions resumed with it, so that it must not live long (RFC 9325 §3.4). */
export const TICKET_SECRET_LIFETIME_MS = 24 * 3_600_000;

export class TicketKeys {
  #secret: TicketSecret;

  /** `secret`: of those whose sessions are to be resumed here; null: one of its own. */
  constructor(secret: TicketSecret | null = null) {
    this.#secret = secret ?? freshSecret(Date.now());
  }

  /** The one in force; another one after a change. */
  get secret(): TicketSecret {
    return this.#secret;
  }

  /** From now on tickets of the former secret are not accepted; their clients shake hands in full. */
  use(secret: TicketSecret): void {
    this.#secret = secret;
  }

  /** Makes another secret where this one has been used for `lifetimeMs`. Whether it did. */
  renew(nowMs: number, lifetimeMs = TICKET_SECRET_LIFETIME_MS): boolean {
    if (nowMs - this.#secret.sinceMs < lifetimeMs) return false;
    this.#secret = freshSecret(nowMs);
    return true;
  }

  /**
   * What Node.js takes as ticketKeys. A session says that its client was trusted: where others are trusted, it is not to be
   * resumed, and so the keys depend on `authorities` (PEM).
   */
  keysFor(authorities: readonly string[]): Buffer {
    const hash = createHash('sha256');
    for (const authority of authorities) hash.update(`${authority.length} ${authority}`);
    const info = Buffer.concat([Buffer.from('howdah tickets '), hash.digest()]);
    return Buffer.from(hkdfSync('sha256', Buffer.from(this.#secret.base64, 'base64'), '', info, KEYS_BYTES));
  }
}

function freshSecret(nowMs: number): TicketSecret {
  return { base64: randomBytes(KEYS_BYTES).toString('base64'), sinceMs: nowMs };
}
