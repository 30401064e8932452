// What handlers see of a client's certificate as a field of the request (RFC 9440): `client-cert`, as a proxy that ends TLS would send
// it. What clients send under that name never gets this far: protocol/http/connection-fields.ts.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { HttpVersion, RequestHead } from '../protocol/http/request-head.ts';
import type { ConnectionInfo } from './stream-handler.ts';

/** The value of the field (RFC 9440 §2.2: DER, as a Byte Sequence of RFC 9651); null where no certificate was verified. */
export function clientCertificateField({ clientCertificate }: ConnectionInfo): string | null {
  return clientCertificate === null ? null : `:${clientCertificate.raw.toString('base64')}:`;
}

/** A request head with the field; heads may be shared between requests, and are not changed. */
export class CertifiedHead implements RequestHead {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | null;
  readonly version: HttpVersion;
  readonly hasBody: boolean;
  readonly contentLength: number | null;
  readonly expectContinue: boolean;
  readonly protocol: string | null;
  readonly #head: RequestHead;
  readonly #certificate: string;
  #fields: FieldLines | null = null;

  constructor(head: RequestHead, certificate: string, protocol: string | null = null) {
    this.method = head.method;
    this.authority = head.authority;
    this.path = head.path;
    this.query = head.query;
    this.version = head.version;
    this.hasBody = head.hasBody;
    this.contentLength = head.contentLength;
    this.expectContinue = head.expectContinue;
    this.protocol = protocol;
    this.#head = head;
    this.#certificate = certificate;
  }

  get fields(): FieldLines {
    this.#fields ??= [...this.#head.fields, 'client-cert', this.#certificate];
    return this.#fields;
  }
}
