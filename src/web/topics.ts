// Who of this process has subscribed to which topic, and what comes for it from the rest of the fleet. Does not know what a subscriber is.
import type { Events, EventSubscription } from './events.ts';

/** Events of this name carry bytes, in base64; all others a text. */
const BINARY_EVENT = 'binary';

export type TopicMessage = string | Uint8Array;

interface Topic<S> {
  readonly subscribers: Set<S>;
  readonly fleet: EventSubscription;
}

export class Topics<S> {
  readonly #topics = new Map<string, Topic<S>>();
  readonly #send: (subscribers: Iterable<S>, message: TopicMessage) => number;

  /** `send` gives the message to the subscribers; how many took it. */
  constructor(send: (subscribers: Iterable<S>, message: TopicMessage) => number) {
    this.#send = send;
  }

  /** What is published on the channel of this name, anywhere, is for its subscribers too. */
  subscribe(topic: string, subscriber: S, events: Events): Promise<void> {
    let known = this.#topics.get(topic);
    if (known === undefined) {
      const fleet = events.subscribe(topic, ({ event, data }) => {
        this.publish(topic, event === BINARY_EVENT ? Buffer.from(data, 'base64') : data, null);
      });
      known = { subscribers: new Set(), fleet };
      this.#topics.set(topic, known);
    }
    known.subscribers.add(subscriber);
    return known.fleet.ready;
  }

  unsubscribe(topic: string, subscriber: S): void {
    const known = this.#topics.get(topic);
    if (known?.subscribers.delete(subscriber) !== true || known.subscribers.size > 0) return;
    known.fleet.stop();
    this.#topics.delete(topic);
  }

  /** To the subscribers of this process, but for `except`; how many took it. */
  publish(topic: string, message: TopicMessage, except: S | null): number {
    const subscribers = this.#topics.get(topic)?.subscribers;
    if (subscribers === undefined) return 0;
    return this.#send(except === null ? subscribers : without(subscribers, except), message);
  }
}

/** To the subscribers of all processes: after the commit, through the database. */
export function publishToFleet(events: Events, topic: string, message: TopicMessage): Promise<void> {
  if (typeof message === 'string') return events.publish(topic, null, message);
  return events.publish(topic, BINARY_EVENT, Buffer.from(message).toString('base64'));
}

function* without<S>(subscribers: Iterable<S>, except: S): Generator<S> {
  for (const subscriber of subscribers) if (subscriber !== except) yield subscriber;
}
