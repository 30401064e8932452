// The grammar of Sec-WebSocket-Extensions and Sec-WebSocket-Protocol (RFC 6455 §4.3, §9.1). Knows no extension.
import { isInClass, TOKEN } from '../http/grammar.ts';

export interface ExtensionOffer {
  readonly name: string;
  /** In order, repeated ones too; a value is null where there is none, and without its quotes. */
  readonly parameters: readonly ExtensionParameter[];
}

export interface ExtensionParameter {
  readonly name: string;
  readonly value: string | null;
}

/** extension-list as it came in all field lines, joined with commas; null where it breaks the grammar. */
export function parseExtensionOffers(text: string): readonly ExtensionOffer[] | null {
  const reader = new ListReader(text);
  const offers: ExtensionOffer[] = [];
  do {
    const name = reader.takeToken();
    // RFC 9110 §5.6.1.2: empty elements of a list are ignored.
    if (name === '') continue;
    const parameters: ExtensionParameter[] = [];
    while (reader.takeChar(';')) {
      const parameter = takeParameter(reader);
      if (parameter === null) return null;
      parameters.push(parameter);
    }
    offers.push({ name, parameters });
  } while (reader.takeChar(','));
  return reader.isAtEnd ? offers : null;
}

/** A list of tokens, each once (§4.1 point 10); null where it is none. */
export function parseSubprotocols(text: string): readonly string[] | null {
  const reader = new ListReader(text);
  const names: string[] = [];
  do {
    const name = reader.takeToken();
    if (name === '') continue;
    if (names.includes(name)) return null;
    names.push(name);
  } while (reader.takeChar(','));
  return reader.isAtEnd ? names : null;
}

function takeParameter(reader: ListReader): ExtensionParameter | null {
  const name = reader.takeToken();
  if (name === '') return null;
  if (!reader.takeChar('=')) return { name, value: null };
  const value = reader.takeChar('"') ? reader.takeQuotedToken() : reader.takeToken();
  return value === '' ? null : { name, value };
}

class ListReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  get isAtEnd(): boolean {
    return this.#position === this.#text.length;
  }

  /** The token here with the white space after it, or an empty text. */
  takeToken(): string {
    const start = this.#position;
    while (isInClass(this.#text, this.#position, TOKEN)) this.#position++;
    const token = this.#text.slice(start, this.#position);
    this.#skipSpace();
    return token;
  }

  /** The character, with the white space after it (but for a quote: that is part of what it quotes). */
  takeChar(char: string): boolean {
    if (this.#text[this.#position] !== char) return false;
    this.#position++;
    if (char !== '"') this.#skipSpace();
    return true;
  }

  /** What a quoted-string holds after its opening quote: a token (§9.1), also with escaped characters; otherwise an empty text. */
  takeQuotedToken(): string {
    let token = '';
    for (;;) {
      if (this.#text[this.#position] === '\\') this.#position++;
      else if (this.takeChar('"')) break;
      if (!isInClass(this.#text, this.#position, TOKEN)) return '';
      token += this.#text[this.#position];
      this.#position++;
    }
    this.#skipSpace();
    return token;
  }

  #skipSpace(): void {
    while (this.#text[this.#position] === ' ' || this.#text[this.#position] === '\t') this.#position++;
  }
}
