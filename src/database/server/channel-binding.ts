// channel_binding=require: sees that a login is bound to its TLS connection (SCRAM-SHA-256-PLUS, RFC 5802 §6), such that whoever is
// between cannot pass it on. The binding itself is made by the driver.

/** What the driver tells of a login. */
export interface LoginEvents {
  on(
    event: 'authenticationSASL',
    listener: (message: { readonly mechanisms: readonly string[] }) => void,
  ): unknown;
}

const BOUND = 'SCRAM-SHA-256-PLUS';

export class ChannelBindingWatch {
  readonly #isRequired: boolean;
  #isBound = false;

  constructor(isRequired: boolean) {
    this.#isRequired = isRequired;
  }

  /** Before the connection is opened. */
  watch(events: LoginEvents | undefined): void {
    // The driver takes the mechanism where it is offered.
    events?.on('authenticationSASL', ({ mechanisms }) => {
      this.#isBound = mechanisms.includes(BOUND);
    });
  }

  /** Before a password is sent, and when the server asks for none. Throws where the login is not bound and is to be. */
  assertBound(): void {
    if (this.#isRequired && !this.#isBound)
      throw new Error(
        `channel_binding=require asks for a login by ${BOUND}, which the server does not offer here`,
      );
  }
}
