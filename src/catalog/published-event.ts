// An event as it goes to those who listen: encoded once for all of them. And the places of events, by which clients go on.
import { prepareText, type PreparedMessage } from '../server/websocket-connection.ts';
import { encodeServerSentEvent } from '../web/server-sent-event.ts';
import type { EventRow } from './event-reads.ts';

/** What an event without a name is called, as in browsers. */
const UNNAMED = 'message';
/** The event that tells a client that others may be missing. */
const RESET = 'reset';
/** What says to the client of a WebSocket how far it is; a stream of HTTP says that with a comment. */
const PLACE = 'place';

/** `era.id`: a place in the events of one database. */
export function placeText(era: string, id: number): string {
  return `${era}.${id}`;
}

/** The id in a place of this era; null for anything else. */
export function placeId(place: string, era: string): number | null {
  const dot = place.indexOf('.');
  const digits = place.slice(dot + 1);
  return place.slice(0, dot) === era && /^\d{1,15}$/.test(digits) ? Number(digits) : null;
}

export class PublishedEvent {
  /** Its place. */
  readonly id: string;
  /** Its number in the database. */
  readonly row: number;
  readonly channel: string;
  readonly event: string;
  readonly data: string;
  #bytes: Buffer | null = null;
  #message: PreparedMessage | null = null;

  constructor(era: string, { id, channel, event, data }: EventRow) {
    this.id = placeText(era, id);
    this.row = id;
    this.channel = channel;
    // howdah.publish() lets none in; somebody who writes into the table himself might.
    this.event = event?.replaceAll(/[\r\n]/g, ' ') ?? UNNAMED;
    this.data = data;
  }

  /** As a server-sent event. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(
      encodeServerSentEvent({
        id: this.id,
        ...(this.event === UNNAMED ? {} : { event: this.event }),
        data: this.data,
      }),
    );
    return this.#bytes;
  }

  /** As a WebSocket message: JSON of an object with id, channel, event and data. */
  get message(): PreparedMessage {
    const { id, channel, event, data } = this;
    this.#message ??= prepareText(JSON.stringify({ id, channel, event, data }));
    return this.#message;
  }
}

/** Tells a client to look anew at whatever it follows, and where it is then. */
export const resetBytes = (place: string): Buffer =>
  Buffer.from(encodeServerSentEvent({ id: place, event: RESET, data: '' }));

export const resetMessage = (place: string): string => JSON.stringify({ id: place, event: RESET });

export const placeMessage = (place: string): string => JSON.stringify({ id: place, event: PLACE });

/** Moves a client's place and shows that the connection lives. */
export const placeBytes = (place: string): Buffer =>
  Buffer.from(encodeServerSentEvent({ comment: '', id: place }));
