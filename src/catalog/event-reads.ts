// The statements behind events, as prepared calls, and what they return (sql/objects/read_events.sql). Not when they are called.
import { prepareText } from './prepared-text.ts';

const INT8_OID = 20;
const INT4_OID = 23;
const TEXT_ARRAY_OID = 1009;
const INTERVAL_OID = 1186;

export const READ_EVENTS = prepareText('select howdah.read_events($1, $2, $3, $4)', [
  INT8_OID,
  TEXT_ARRAY_OID,
  INT4_OID,
  INT4_OID,
]);
export const PRUNE_EVENTS = prepareText('select howdah.prune_events($1, $2)', [INTERVAL_OID, INT4_OID]);
export const VACUUM_EVENTS = prepareText(
  'vacuum howdah.events, howdah.unnumbered_events, howdah.publishing',
  [],
);

/** An event as the database has it. */
export interface EventRow {
  readonly id: number;
  readonly channel: string;
  readonly event: string | null;
  readonly data: string;
}

export interface EventsRead {
  /** Events up to this id are no longer kept. */
  readonly prunedTo: number;
  /** There is no event up to this id that was asked for and is not here. */
  readonly completeTo: number;
  readonly era: string;
  readonly events: readonly EventRow[];
}

export function decodeEvents(bytes: Buffer): EventsRead {
  let at = 16;
  const text = (): string | null => {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const era = text() ?? '';
  const events: EventRow[] = [];
  while (at < bytes.length) {
    const id = Number(bytes.readBigInt64BE(at));
    at += 8;
    events.push({ id, channel: text() ?? '', event: text(), data: text() ?? '' });
  }
  return {
    prunedTo: Number(bytes.readBigInt64BE(0)),
    completeTo: Number(bytes.readBigInt64BE(8)),
    era,
    events,
  };
}

/** A list of texts as PostgreSQL reads an array. */
export function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
