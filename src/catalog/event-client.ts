// The hub of events for handlers in TypeScript (web/events.ts): publishes by SQL, subscribes at the place that the database is at.
import type { SqlDispatcher } from '../database/call.ts';
import { SqlFailure } from '../database/exchange-result.ts';
import type { Events, EventSubscription, LiveEvent, SubscribeOptions } from '../web/events.ts';
import type { EventHub, Subscription } from './event-hub.ts';
import { prepareText } from './prepared-text.ts';

const TEXT_OID = 25;
const PUBLISH = prepareText('select howdah.publish($1, $2, $3)', [TEXT_OID, TEXT_OID, TEXT_OID]);
const LAST_EVENT_ID = prepareText('select howdah.last_event_id()', []);
/** How long after a failure the database is asked again where it is. */
const RETRY_MS = 1000;

export class EventClient implements Events {
  readonly #hub: EventHub;
  readonly #dispatcher: SqlDispatcher;

  constructor(hub: EventHub, dispatcher: SqlDispatcher) {
    this.#hub = hub;
    this.#dispatcher = dispatcher;
  }

  publish(channel: string, event: string | null, data: unknown): Promise<void> {
    const text = typeof data === 'string' ? data : (JSON.stringify(data) ?? '');
    return new Promise((resolve, reject) => {
      this.#dispatcher.dispatch({
        statement: PUBLISH,
        parameters: [channel, event, text],
        epoch: null,
        resetAfter: false,
        complete: (result) => {
          if (result.kind === 'row' || result.kind === 'no-row') resolve();
          else if (result.kind === 'failed') reject(new SqlFailure(result.error));
          else reject(new Error(`not published: ${'reason' in result ? result.reason : result.kind}`));
        },
      });
    });
  }

  subscribe(
    channels: string | readonly string[],
    listener: (event: LiveEvent) => void,
    options: SubscribeOptions = {},
  ): EventSubscription {
    const list = typeof channels === 'string' ? [channels] : channels;
    const ready = Promise.withResolvers<void>();
    let subscription: Subscription | null = null;
    let retry: NodeJS.Timeout | null = null;
    let isStopped = false;
    const hub = this.#hub;
    const subscriber = {
      deliver: listener,
      reset: (place: string) => options.onReset?.(place),
    };
    const ask = (): void => {
      this.#dispatcher.dispatch({
        statement: LAST_EVENT_ID,
        parameters: [],
        epoch: null,
        resetAfter: false,
        complete: (result) => {
          if (isStopped) return;
          const newest = result.kind === 'row' ? (result.columns[0]?.toString('utf8') ?? null) : null;
          if (newest === null) {
            retry = setTimeout(ask, RETRY_MS);
            retry.unref();
            return;
          }
          subscription = hub.subscribe(list, newest, options.since ?? null, subscriber);
          ready.resolve();
        },
      });
    };
    ask();
    return {
      ready: ready.promise,
      get place() {
        return subscription === null ? '' : hub.placeOf(subscription);
      },
      stop() {
        isStopped = true;
        if (retry !== null) clearTimeout(retry);
        if (subscription !== null) hub.cancel(subscription);
        ready.resolve();
      },
    };
  }
}
