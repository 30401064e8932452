// What a PROXY protocol header says (HAProxy's specification, versions 1 and 2), whichever version said it. Types only.

export interface ProxyEndpoint {
  /** IPv4 or IPv6 address without a port. */
  readonly address: string;
  readonly port: number;
}

export interface ProxyHeader {
  readonly version: 1 | 2;
  /** The client, as the proxy sees it; null where the connection is the proxy's own (a health check), or is none over TCP. */
  readonly source: ProxyEndpoint | null;
  /** Where the client connected to; null where `source` is. */
  readonly destination: ProxyEndpoint | null;
  /** Type → value, of version 2; of several with one type the last. */
  readonly tlvs: ReadonlyMap<number, Buffer>;
}

/** Types of TLVs (section 2.2 of the specification). */
export const ProxyTlv = {
  ALPN: 0x01,
  /** The host name that the client asked for (SNI). */
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  NOOP: 0x04,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  NETNS: 0x30,
} as const;

export const NO_TLVS: ReadonlyMap<number, Buffer> = new Map();
