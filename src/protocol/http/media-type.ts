// Media types and ranges of them: Content-Type (RFC 9110 §8.3.1) and Accept (§12.5.1). Not the choice among what is offered
// (negotiation.ts).
import { FieldScanner, parseList } from './field-scanner.ts';
import { parseQuality } from './weighted.ts';

export interface MediaType {
  /** In lower case. */
  readonly type: string;
  readonly subtype: string;
  /** Names in lower case, values as sent. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** `*` as type or subtype is any. The parameter `q` is the quality, and not among the parameters. */
export interface MediaRange extends MediaType {
  /** 0 (not acceptable) to 1. */
  readonly quality: number;
}

/** Null where it is malformed. */
export function parseMediaType(text: string): MediaType | null {
  const scanner = new FieldScanner(text);
  scanner.skipSpace();
  const found = takeMediaType(scanner);
  scanner.skipSpace();
  return scanner.done ? found : null;
}

/** The ranges in the order sent; null where the field is malformed. */
export function parseAccept(text: string): MediaRange[] | null {
  return parseList(text, (scanner) => {
    const found = takeMediaType(scanner);
    if (found === null || (found.type === '*' && found.subtype !== '*')) return null;
    const parameters = new Map(found.parameters);
    const quality = parseQuality(parameters.get('q') ?? '1');
    parameters.delete('q');
    return quality === null ? null : { ...found, parameters, quality };
  });
}

function takeMediaType(scanner: FieldScanner): MediaType | null {
  const type = scanner.token().toLowerCase();
  if (type === '' || !scanner.eat('/')) return null;
  const subtype = scanner.token().toLowerCase();
  if (subtype === '') return null;
  const parameters = scanner.parameters();
  return parameters === null ? null : { type, subtype, parameters };
}
