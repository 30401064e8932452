// Gives the statements and portals that a client names other names, so that clients of one session do not meet. The
// unnamed ones keep their (empty) name.
import type { ProtocolViolation } from './message-splitter.ts';
import type { MessageWriter } from './message-writer.ts';
import { malformed } from './backend-messages.ts';
import { FieldReader } from './field-reader.ts';
import { FRONTEND, TARGET } from './message-types.ts';

/** What a message says of a statement; null where it is about none. */
export interface NamedUse {
  /** `makes`: Parse. `uses`: Bind and Describe. `drops`: Close. */
  readonly action: 'makes' | 'uses' | 'drops';
  /** As the client calls it. */
  readonly statement: string;
  /** SQL text, of Parse. */
  readonly text?: string;
}

/**
 * Writes the message with `prefix` before every name in it.
 *
 * @returns which statement it is about
 */
export function rewriteNames(
  writer: MessageWriter,
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
  prefix: string,
): NamedUse | ProtocolViolation | null {
  const fields = new FieldReader(bytes, start, end);
  let use: NamedUse | null = null;
  let tail: Buffer;
  let names: string[] = [];
  let target: number | null = null;
  switch (type) {
    case FRONTEND.parse: {
      const statement = fields.cstring();
      const text = fields.cstring();
      use = { action: 'makes', statement, text };
      writer.begin(type);
      writer.cstring(prefixed(prefix, statement));
      writer.cstring(text);
      tail = fields.bytes(fields.remaining);
      writer.bytes(tail);
      writer.end();
      return fields.overrun ? malformed('Parse') : use;
    }
    case FRONTEND.bind: {
      const portal = fields.cstring();
      const statement = fields.cstring();
      names = [portal, statement];
      use = { action: 'uses', statement };
      break;
    }
    case FRONTEND.describe:
    case FRONTEND.close: {
      target = fields.byte();
      const name = fields.cstring();
      names = [name];
      if (target === TARGET.statement) {
        use = { action: type === FRONTEND.close ? 'drops' : 'uses', statement: name };
      }
      break;
    }
    case FRONTEND.execute:
      names = [fields.cstring()];
      break;
    default:
      break;
  }
  tail = fields.bytes(fields.remaining);
  writer.begin(type);
  if (target !== null) writer.byte(target);
  for (const name of names) writer.cstring(prefixed(prefix, name));
  writer.bytes(tail);
  writer.end();
  return fields.overrun ? malformed('message with names') : use;
}

function prefixed(prefix: string, name: string): string {
  return name === '' ? '' : prefix + name;
}
