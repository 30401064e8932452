// What a peer can do wrong in a request: one table of codes, each with the status that answers it. After a fault
// nothing is parsed any more, since where the next request begins cannot be known (RFC 9112 §9.3, §11.2).

interface FaultEntry {
  readonly status: number;
  readonly reason: string;
}

const TABLE = {
  // Request line: RFC 9112 §3.
  'empty-lines': { status: 400, reason: 'too many empty lines before the request line' }, // RFC 9112 §2.2
  'method-malformed': { status: 400, reason: 'the method is not a token followed by one space' }, // RFC 9110 §9.1
  'method-too-long': { status: 501, reason: 'the method is longer than any that is implemented' }, // RFC 9112 §3
  'target-malformed': { status: 400, reason: 'the request target has a character that a target cannot have' }, // RFC 9112 §3.2
  'target-form': { status: 400, reason: 'the form of the request target does not fit the method' }, // RFC 9112 §3.2.1-4
  'target-authority': { status: 400, reason: 'the authority of the request target is malformed' }, // RFC 9110 §4.2.1, §4.2.4
  'target-authority-too-long': { status: 414, reason: 'the authority of the request target is too long' },
  'request-line-too-long': { status: 414, reason: 'the request line is too long' }, // RFC 9112 §3
  'version-malformed': { status: 400, reason: 'the request line does not end in a version' }, // RFC 9112 §2.3
  'version-unsupported': { status: 505, reason: 'only HTTP/1.0 and HTTP/1.1 are spoken here' }, // RFC 9110 §15.6.6
  // Field lines: RFC 9112 §5.
  'bare-cr': { status: 400, reason: 'a CR is not followed by LF' }, // RFC 9112 §2.2
  'bare-lf': { status: 400, reason: 'an LF is not preceded by CR' }, // RFC 9112 §2.2
  'folded-line': { status: 400, reason: 'a line of the header section begins with white space' }, // RFC 9112 §2.2, §5.2
  'name-malformed': { status: 400, reason: 'a field name is not a token followed by a colon' }, // RFC 9110 §5.1
  'name-space': { status: 400, reason: 'there is white space between a field name and its colon' }, // RFC 9112 §5.1
  'name-too-long': { status: 431, reason: 'a field name is too long' }, // RFC 6585 §5
  'value-malformed': { status: 400, reason: 'a field value has a control character' }, // RFC 9110 §5.5
  'value-too-long': { status: 431, reason: 'a field value is too long' }, // RFC 6585 §5
  'too-many-fields': { status: 431, reason: 'there are too many field lines' }, // RFC 6585 §5
  'head-too-large': { status: 431, reason: 'the header section is too large' }, // RFC 6585 §5
  'trailers-too-large': { status: 431, reason: 'the trailer section is too large' }, // RFC 6585 §5
  // Fields that decide on routing and framing.
  'host-missing': { status: 400, reason: 'HTTP/1.1 requires a Host field' }, // RFC 9112 §3.2
  'host-repeated': { status: 400, reason: 'there is more than one Host field' }, // RFC 9112 §3.2
  'host-malformed': { status: 400, reason: 'the Host field is not a host with an optional port' }, // RFC 9110 §7.2
  'host-too-long': { status: 431, reason: 'the Host field is too long' },
  'length-malformed': { status: 400, reason: 'Content-Length is not one decimal number' }, // RFC 9112 §6.3
  'length-repeated': { status: 400, reason: 'there is more than one Content-Length field' }, // RFC 9110 §8.6
  'length-and-coding': { status: 400, reason: 'there are both Content-Length and Transfer-Encoding' }, // RFC 9112 §6.3, §11.2
  'coding-malformed': { status: 400, reason: 'Transfer-Encoding is malformed' }, // RFC 9112 §6.1
  'coding-after-chunked': { status: 400, reason: 'chunked is not the last transfer coding, or repeated' }, // RFC 9112 §6.3
  'coding-version': { status: 400, reason: 'HTTP/1.0 has no Transfer-Encoding' }, // RFC 9112 §6.1
  'coding-unsupported': { status: 501, reason: 'no transfer coding but chunked is implemented' }, // RFC 9112 §6.1
  'expectation-unsupported': { status: 417, reason: 'no expectation but 100-continue is met' }, // RFC 9110 §10.1.1
  // Chunked bodies: RFC 9112 §7.1.
  'chunk-size-malformed': { status: 400, reason: 'a chunk does not begin with a hexadecimal size' },
  'chunk-size-too-large': { status: 400, reason: 'a chunk size is too large' },
  'chunk-line-too-long': { status: 400, reason: 'the size and the extensions of a chunk are too long' },
  'chunk-extensions-too-large': {
    status: 400,
    reason: 'the extensions of the chunks are too large together',
  },
  'chunk-extension-malformed': { status: 400, reason: 'a chunk extension has a control character' },
  'chunk-end-malformed': { status: 400, reason: 'the data of a chunk is not followed by CRLF' },
  'incomplete-request': { status: 400, reason: 'the connection was closed inside a request' }, // RFC 9112 §8
} as const satisfies Record<string, FaultEntry>;

export type Http1FaultCode = keyof typeof TABLE;

export interface Http1Fault {
  readonly kind: 'fault';
  /** Status of the answer: 400, 414, 417, 431, 501 or 505. The connection is closed after it. */
  readonly status: number;
  readonly code: Http1FaultCode;
  /** One sentence without user input. */
  readonly reason: string;
  /** What of the request line was read, as sent, the query left out; null before its version and once the head was delivered. */
  readonly partial: { readonly method: string; readonly path: string } | null;
}

export function makeHttp1Fault(code: Http1FaultCode, partial: Http1Fault['partial']): Http1Fault {
  const { status, reason } = TABLE[code];
  return { kind: 'fault', status, code, reason, partial };
}
