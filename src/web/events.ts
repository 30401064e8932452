// Events across the fleet as handlers in TypeScript use them: told through the database, to every process, after the commit. Types only;
// what reads them is catalog/event-hub.ts.

/** An event as a listener gets it. */
export interface LiveEvent {
  /** Its place: what a client says as Last-Event-ID. */
  readonly id: string;
  readonly channel: string;
  /** `message` where it was published without a name. */
  readonly event: string;
  readonly data: string;
  /** As a server-sent event; one buffer for all listeners: leave it unchanged. */
  readonly bytes: Buffer;
}

/** Where a subscription begins. */
export interface SubscribeOptions {
  /** A place to go on from; default: from now on. */
  readonly since?: string | null;
  /** Events up to `place` may be missing: they are no longer kept, or of another database. */
  onReset?(place: string): void;
}

/** What follows channels, until it is stopped. */
export interface EventSubscription {
  /** Resolves when what is published from then on is heard. */
  readonly ready: Promise<void>;
  /** The place that it has got to; empty before it is ready. */
  readonly place: string;
  stop(): void;
}

/** What `howdah.publish()` and streams of events are in SQL. */
export interface Events {
  /**
   * Tells whoever listens to the channel, in every process of the fleet, SQL streams among them. Resolves after the commit; rejects with
   * SqlFailure. Objects are sent as JSON.
   */
  publish(channel: string, event: string | null, data: unknown): Promise<void>;
  /** Events in the order of their commits. However many listen, this process reads each once. */
  subscribe(
    channels: string | readonly string[],
    listener: (event: LiveEvent) => void,
    options?: SubscribeOptions,
  ): EventSubscription;
}
