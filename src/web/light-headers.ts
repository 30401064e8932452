// The headers of a request as a web-standard Headers object that looks into the field lines as they are, and becomes the
// platform's object when somebody changes it or goes over it.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import { isToken } from '../protocol/http/grammar.ts';
import { delegateTo, NativeHeaders } from './native-classes.ts';

export class LightHeaders {
  readonly #fields: FieldLines;
  #native: Headers | null = null;

  constructor(fields: FieldLines) {
    this.#fields = fields;
  }

  get(name: string): string | null {
    if (this.#native !== null || !isToken(name)) return this.#materialise().get(name);
    const fields = this.#fields;
    const lower = name.toLowerCase();
    let value: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== lower) continue;
      const text = fields[i + 1] ?? '';
      // RFC 9113 §8.2.3: cookie is the one field that is not a list with commas.
      if (value === null) value = text;
      else value += lower === 'cookie' ? `; ${text}` : `, ${text}`;
    }
    return value;
  }

  has(name: string): boolean {
    if (this.#native !== null || !isToken(name)) return this.#materialise().has(name);
    const lower = name.toLowerCase();
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === lower) return true;
    return false;
  }

  // Of its own: the platform's Headers takes an object with its own `entries` for one of its own.
  [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.#materialise().entries();
  }

  #materialise(): Headers {
    if (this.#native === null) {
      const native = new NativeHeaders();
      const fields = this.#fields;
      for (let i = 0; i < fields.length; i += 2) native.append(fields[i] ?? '', fields[i + 1] ?? '');
      this.#native = native;
    }
    return this.#native;
  }

  /** The platform's object behind it. */
  static native(headers: LightHeaders): Headers {
    return headers.#materialise();
  }
}

type HeadersIterator<T> = ReturnType<Headers['entries']> & Iterator<T>;

delegateTo(LightHeaders.prototype, NativeHeaders.prototype, (light) =>
  LightHeaders.native(light as LightHeaders),
);
