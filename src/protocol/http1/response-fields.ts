// The fields that an application gives a response, checked and put into text. Not the fields that the engine adds.
import { isConnectionField, isForbiddenInTrailers } from '../http/connection-fields.ts';
import type { FieldLines } from '../http/field-lines.ts';
import { isFieldValue, isToken, parseDecimal } from '../http/grammar.ts';
import { type Refused, refuse } from './send-result.ts';

/** What is to be done with a field, by its name. */
const SENT = 0;
const DROPPED = 1;
const LENGTH = 2;
const DATE = 3;
const SERVER = 4;

/**
 * Names that have been seen to be tokens, with what is to be done with them. Applications use a few dozen; one that
 * makes names up must not grow this without end.
 */
const MAX_KNOWN_NAMES = 256;
const knownNames = new Map<string, number>();

/** What is to be done with a field of this name, in any case; null where it is no token. */
function classify(name: string): number | null {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!isToken(name)) return null;
  const lower = name.toLowerCase();
  let use = SENT;
  if (isConnectionField(lower)) use = DROPPED;
  else if (lower === 'content-length') use = LENGTH;
  else if (lower === 'date') use = DATE;
  else if (lower === 'server') use = SERVER;
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, use);
  return use;
}

const BAD_NAME = 'the name is not a token';
const BAD_VALUE = 'the value has a control character, or one that is not latin1';

/** The fields of one response, one after the other: `collect` begins the next. */
export class ResponseFields {
  /** Field lines with their CRLFs. */
  text = '';
  /** Another number for each text that was put together: the same one means the same fields. */
  version = 0;
  hasDate = false;
  hasServer = false;
  /** Content-Length as the application gave it; null where it did not, or gave no number. It is not in `text`. */
  contentLength: number | null = null;
  /** The fields that `text` was made of: responses of one handler have the same ones, and then that work is done. */
  #last: FieldLines | null = null;

  /** Takes the fields; or says which is wrong, and is then empty. */
  collect(fields: FieldLines): Refused | null {
    if (this.#isLast(fields)) return null;
    this.text = '';
    this.version += 1;
    this.hasDate = false;
    this.hasServer = false;
    this.contentLength = null;
    this.#last = null;
    let text = '';
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      const use = classify(name);
      if (use === null) return refuse(name, BAD_NAME);
      if (!isFieldValue(value)) return refuse(name, BAD_VALUE);
      if (use === DATE) this.hasDate = true;
      else if (use === SERVER) this.hasServer = true;
      else if (use === LENGTH) this.contentLength = parseDecimal(value);
      if (use !== DROPPED && use !== LENGTH) text += `${name}: ${value}\r\n`;
    }
    this.text = text;
    if (fields.length <= MAX_REMEMBERED) this.#last = fields.slice();
    return null;
  }

  #isLast(fields: FieldLines): boolean {
    const last = this.#last;
    if (last === null || last.length !== fields.length) return false;
    for (let i = 0; i < last.length; i++) if (last[i] !== fields[i]) return false;
    return true;
  }
}

/** Names and values together; a comparison with a longer list would cost as much as it saves. */
const MAX_REMEMBERED = 32;

/** Field lines of a trailer section; those that RFC 9110 §6.5.1 forbids are left out. */
export function encodeTrailers(fields: FieldLines): string | Refused {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (!isToken(name)) return refuse(name, BAD_NAME);
    if (!isFieldValue(value)) return refuse(name, BAD_VALUE);
    if (!isForbiddenInTrailers(name.toLowerCase())) text += `${name}: ${value}\r\n`;
  }
  return text;
}
