// TLS on the accepted sockets of one listener: handshake, ALPN, the certificate by SNI, client certificates. Its
// certificates can be exchanged at any time: handshakes that begin later get the new ones, open connections go on.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ProxyHeader } from '../protocol/proxy/header.ts';
import type { CertificateSet } from './certificate-set.ts';
import { TicketKeys, type TicketSecret } from './ticket-keys.ts';

export interface TlsOptions {
  readonly certificates: CertificateSet;
  /** `none` (default), `requested` (but needed by nobody), or `required`: without a trusted one there is no connection. */
  readonly clientCertificates?: 'none' | 'requested' | 'required';
  /** From the accepted connection to the end of the handshake; then it is closed. Default 5000: Ranch's. */
  readonly handshakeTimeoutMs?: number;
  /** Shared with those who may resume the sessions that begin here. Default: its own. */
  readonly ticketKeys?: TicketKeys;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 5000;

/** What we speak, the preferred one first. A client that offers ALPN and neither of these is refused (RFC 7301 §3.2). */
const PROTOCOLS = ['h2', 'http/1.1'];

/** Sessions are those of one application, whichever process and version of it has begun them. */
const SESSION_CONTEXT = 'howdah';

export class TlsAcceptor {
  readonly #server: Server;
  /** The handshake runs in a context of its own: Node.js does not tell which socket a TLSSocket was made of. */
  readonly #header = new AsyncLocalStorage<ProxyHeader | null>();
  #certificates: CertificateSet;
  readonly #ticketKeys: TicketKeys;
  #secret: TicketSecret;

  /** `accept` takes sockets whose handshake is done; `refused` is told why that of another was not. */
  constructor(
    options: TlsOptions,
    accept: (socket: TLSSocket, header: ProxyHeader | null) => void,
    refused: (reason: string) => void,
  ) {
    const { clientCertificates = 'none', handshakeTimeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS } = options;
    this.#certificates = options.certificates;
    this.#ticketKeys = options.ticketKeys ?? new TicketKeys();
    this.#secret = this.#ticketKeys.secret;
    this.#server = createServer({
      ...options.certificates.fallback,
      ALPNProtocols: PROTOCOLS,
      SNICallback: (name, done) => done(null, this.#certificates.find(name) ?? undefined),
      requestCert: clientCertificates !== 'none',
      rejectUnauthorized: clientCertificates === 'required',
      handshakeTimeout: handshakeTimeoutMs,
      sessionIdContext: SESSION_CONTEXT,
      ticketKeys: this.#keys,
    });
    this.#server.on('secureConnection', (socket) => {
      // RFC 9113 §9.2.1 forbids it, and in HTTP/1.1 it is good for floods only; TLS 1.3 has none.
      socket.disableRenegotiation();
      socket.allowHalfOpen = true;
      accept(socket, this.#header.getStore() ?? null);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      const reason = refusalReason(error);
      if (reason !== null) refused(reason);
    });
  }

  /** Begins the handshake on a socket that nothing has been read from but its PROXY protocol `header`. */
  accept(socket: Socket, header: ProxyHeader | null): void {
    this.#renewTicketKeys();
    // A client that ends its side before the handshake is over has left: otherwise the timeout would find out.
    socket.allowHalfOpen = false;
    this.#header.run(header, () => this.#server.emit('connection', socket));
  }

  useCertificates(certificates: CertificateSet): void {
    this.#certificates = certificates;
    this.#secret = this.#ticketKeys.secret;
    this.#server.setSecureContext({
      ...certificates.fallback,
      sessionIdContext: SESSION_CONTEXT,
      ticketKeys: this.#keys,
    });
  }

  get #keys(): Buffer {
    return this.#ticketKeys.keysFor(this.#certificates.clientAuthorities);
  }

  #renewTicketKeys(): void {
    this.#ticketKeys.renew(Date.now());
    const { secret } = this.#ticketKeys;
    if (secret === this.#secret) return;
    this.#secret = secret;
    this.#server.setTicketKeys(this.#keys);
  }
}

/** In words, or null where a client has just left. */
function refusalReason(error: NodeJS.ErrnoException & { reason?: string }): string | null {
  const code = error.code ?? '';
  switch (code) {
    case 'ECONNRESET':
      return null;
    case 'ERR_SSL_HTTP_REQUEST':
      return 'HTTP without TLS was spoken';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'the handshake did not end in time';
    default:
      return error.reason ?? error.message;
  }
}
