// The limits of the HTTP/1.1 machine and their defaults. Times, body sizes and connection counts belong to the driver.

/** All counts and sizes are whole numbers; a message that goes over one by a single byte or element is refused. */
export interface Http1Limits {
  /** Empty lines skipped before a request line (RFC 9112 §2.2). More: 400. Default 5. */
  readonly maxEmptyLines: number;
  /** Bytes of the request line without its CRLF. More: 414. Default 8000. */
  readonly maxRequestLineBytes: number;
  /** Bytes of the method. More: 501 (RFC 9112 §3). Default 32. */
  readonly maxMethodBytes: number;
  /** Bytes of `Host` (more: 431) or of the authority in the request target (more: 414). Default 255. */
  readonly maxAuthorityBytes: number;
  /** Bytes of one field name. More: 431. Default 64. */
  readonly maxHeaderNameBytes: number;
  /** Bytes of one field value, from its first byte that is not white space to its CRLF. More: 431. Default 4096. */
  readonly maxHeaderValueBytes: number;
  /** The same for `authorization`. Default 8192. */
  readonly maxAuthorizationValueBytes: number;
  /** The same for one `cookie` line. Default 8192. */
  readonly maxCookieValueBytes: number;
  /** Field lines in a header section, and in a trailer section. More: 431. Default 100. */
  readonly maxHeaders: number;
  /** Bytes of request line and header section with all their CRLFs. More: 431. Default 65 536. */
  readonly maxHeadBytes: number;
  /** Bytes of a trailer section with all its CRLFs. More: 431. Default 8192. */
  readonly maxTrailerBytes: number;
  /** Bytes of one chunk's size and extensions, without the CRLF. More: 400. Default 256. */
  readonly maxChunkLineBytes: number;
  /** Bytes of the extensions of all chunks of one body together. More: 400. Default 4096. */
  readonly maxChunkExtensionBytes: number;
}

/**
 * Sources. Cowboy 2 (cowboy_http): empty lines, request line, method, authority, name, value and number of header
 * fields. nginx (large_client_header_buffers, 8k a line): authorization, cookie and the trailer section. The whole head:
 * room for a request line, a cookie and an authorization at their limits and as much again for the rest. Chunk extensions
 * mean nothing to us; without a bound for all of a body they let a client make us read without ever adding to the
 * body (CVE-2023-39326).
 */
export const DEFAULT_HTTP1_LIMITS: Http1Limits = Object.freeze({
  maxEmptyLines: 5,
  maxRequestLineBytes: 8000,
  maxMethodBytes: 32,
  maxAuthorityBytes: 255,
  maxHeaderNameBytes: 64,
  maxHeaderValueBytes: 4096,
  maxAuthorizationValueBytes: 8192,
  maxCookieValueBytes: 8192,
  maxHeaders: 100,
  maxHeadBytes: 65_536,
  maxTrailerBytes: 8192,
  maxChunkLineBytes: 256,
  maxChunkExtensionBytes: 4096,
});
