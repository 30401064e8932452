// Lists of values with weights: Accept-Charset, Accept-Encoding, Accept-Language, TE (RFC 9110 §12.4.2, §12.5). Not the choice
// among what is offered (negotiation.ts).
import { parseList, type FieldScanner } from './field-scanner.ts';

export interface Weighted {
  /** In lower case; `*` for any. */
  readonly value: string;
  /** 0 (not acceptable) to 1. */
  readonly quality: number;
}

const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** qvalue (§12.4.2); null where it is none. */
export function parseQuality(text: string): number | null {
  return WEIGHT.test(text) ? Number(text) : null;
}

/** The elements in the order sent; null where the field is malformed. */
export function parseWeighted(text: string): Weighted[] | null {
  return parseList(text, (scanner) => {
    const value = scanner.token().toLowerCase();
    if (value === '') return null;
    const quality = takeWeight(scanner);
    return quality === null ? null : { value, quality };
  });
}

/** `[ OWS ";" OWS "q=" qvalue ]`: 1 where there is none, null where it is malformed. Other parameters are passed over (TE). */
function takeWeight(scanner: FieldScanner): number | null {
  const parameters = scanner.parameters();
  if (parameters === null) return null;
  const text = parameters.get('q');
  return text === undefined ? 1 : parseQuality(text);
}
