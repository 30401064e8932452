// Reads a field value from left to right by the grammar that fields share (RFC 9110 §5.6): tokens, quoted strings, lists,
// parameters. Knows no field.
import { TOKEN, isInClass } from './grammar.ts';

const SPACE = 0x20;
const TAB = 0x09;

export class FieldScanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** OWS. */
  skipSpace(): void {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== SPACE && code !== TAB) return;
    }
  }

  /** Takes the character if it is next. */
  eat(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  /** A token, or an empty text where none is next. */
  token(): string {
    const start = this.at;
    while (isInClass(this.text, this.at, TOKEN)) this.at++;
    return this.text.slice(start, this.at);
  }

  /** Characters up to one of `ends`, or to the end of the text. */
  until(ends: string): string {
    const start = this.at;
    while (this.at < this.text.length && !ends.includes(this.text.charAt(this.at))) this.at++;
    return this.text.slice(start, this.at);
  }

  /** What a quoted-string says (§5.6.4); null where none is next, or it has no end. */
  quotedString(): string | null {
    if (this.text[this.at] !== '"') return null;
    let value = '';
    for (let i = this.at + 1; i < this.text.length; i++) {
      const character = this.text.charAt(i);
      if (character === '"') {
        this.at = i + 1;
        return value;
      }
      if (character === '\\') i++;
      value += this.text.charAt(i);
    }
    return null;
  }

  /** token / quoted-string; null where neither is next. */
  tokenOrQuoted(): string | null {
    if (this.text[this.at] === '"') return this.quotedString();
    const token = this.token();
    return token === '' ? null : token;
  }

  /** `*( OWS ";" OWS [ name "=" value ] )` (§5.6.6), names in lower case, the first of each; null where it is none. */
  parameters(): Map<string, string> | null {
    const parameters = new Map<string, string>();
    for (;;) {
      const before = this.at;
      this.skipSpace();
      if (!this.eat(';')) {
        this.at = before;
        return parameters;
      }
      this.skipSpace();
      const name = this.token().toLowerCase();
      if (name === '') continue; // RFC 9110 allows an empty one
      if (!this.eat('=')) return null;
      const value = this.tokenOrQuoted();
      if (value === null) return null;
      if (!parameters.has(name)) parameters.set(name, value);
    }
  }
}

/** Elements that a list may have: no client needs as many, and work on them stays small. Those of a 4096-byte value. */
export const MAX_LIST_ELEMENTS = 200;

/**
 * The elements of a `#element` list (§5.6.1): empty ones are skipped. Null where `parse` gives null, something else than a
 * comma follows an element, or there are too many.
 */
export function parseList<T>(text: string, parse: (scanner: FieldScanner) => T | null): T[] | null {
  const scanner = new FieldScanner(text);
  const elements: T[] = [];
  for (;;) {
    scanner.skipSpace();
    while (scanner.eat(',')) scanner.skipSpace();
    if (scanner.done) return elements;
    const element = parse(scanner);
    if (element === null || elements.length === MAX_LIST_ELEMENTS) return null;
    elements.push(element);
    scanner.skipSpace();
    if (!scanner.done && !scanner.eat(',')) return null;
  }
}

/** A list of tokens, in lower case. */
export function parseTokens(text: string): string[] | null {
  return parseList(text, (scanner) => scanner.token().toLowerCase() || null);
}
