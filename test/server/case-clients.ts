// The clients that the cases of cases.ts are asked by: those of Node.js, over one connection each, behind one interface.
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import type { Readable, Writable } from 'node:stream';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import type { ListenerOptions } from '../../src/transport/listener.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';

export type Headers = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As latin1. */
  readonly body: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Headers;
  /** Sent whole; where it is left out, and `method` is not GET or HEAD, `sink` takes it. */
  readonly body?: string | Buffer;
}

/** A request whose answer is read as the test wants. */
export interface Asked {
  readonly sink: Writable;
  /** Status and fields of each informational response but 100. */
  readonly informs: [number, Headers][];
  /** Resolves when 100 (Continue) comes. */
  readonly continued: Promise<unknown>;
  /** Resolves with the head of the answer, rejects where none comes. */
  head(): Promise<{ status: number; headers: Headers; source: Readable }>;
  leave(): void;
}

export interface CaseClient {
  ask(path: string, question?: Question): Asked;
  close(): void;
}

export interface Transport {
  readonly name: 'http' | 'https' | 'h2c' | 'h2';
  readonly scheme: 'http' | 'https';
  readonly listener: Partial<ListenerOptions>;
  /** Names of cases that do not hold here, each with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
  connect(port: number): CaseClient;
}

const authority = await makeAuthority('case authority');
const leaf = parseCertificate({ ...(await signCertificate(authority, 'localhost')), hostNames: [] });
const tls = { certificates: new CertificateSet([leaf]) };
const trusting = { ca: authority.certificate, servername: 'localhost' };

export const TRANSPORTS: readonly Transport[] = [
  { name: 'http', scheme: 'http', listener: {}, connect: (port) => http1Client(port, false) },
  {
    name: 'https',
    scheme: 'https',
    listener: { tls },
    connect: (port) => http1Client(port, true),
    skips: {
      'a client that leaves is told to the handler, and its late answer is dropped':
        'the client cannot reset a connection over TLS, and one that ends it may still want the answer (RFC 9112 §9.6)',
    },
  },
  { name: 'h2c', scheme: 'http', listener: {}, connect: (port) => http2Client(`http://127.0.0.1:${port}`) },
  {
    name: 'h2',
    scheme: 'https',
    listener: { tls },
    connect: (port) => http2Client(`https://127.0.0.1:${port}`),
  },
];

function http1Client(port: number, secure: boolean): CaseClient {
  const module = secure ? https : http;
  const agent = new module.Agent({ keepAlive: true, maxSockets: 1, ...trusting });
  return {
    ask(path, { method = 'GET', headers = {}, body } = {}) {
      const options = {
        host: '127.0.0.1',
        port,
        agent,
        path,
        method,
        headers: headers as http.OutgoingHttpHeaders,
      };
      const request = module.request(options);
      const informs: [number, Headers][] = [];
      request.on('information', (info) => {
        if (info.statusCode !== 100) informs.push([info.statusCode, info.headers]);
      });
      const response = once(request, 'response') as Promise<[http.IncomingMessage]>;
      response.catch(() => {});
      request.on('error', () => {});
      const continued = continuedOf(request, 'continue');
      finish(request, method, body);
      return {
        sink: request,
        informs,
        continued,
        async head() {
          const [source] = await response;
          source.on('error', () => {});
          return { status: source.statusCode ?? 0, headers: source.headers, source };
        },
        // A mere end would be half a close, after which an answer is still wanted (RFC 9112 §9.6).
        leave: () => {
          if (secure) request.destroy();
          else request.socket?.resetAndDestroy();
        },
      };
    },
    close: () => agent.destroy(),
  };
}

function http2Client(url: string): CaseClient {
  const session = http2.connect(url, trusting);
  session.on('error', () => {});
  return {
    ask(path, { method = 'GET', headers = {}, body } = {}) {
      const stream = session.request(
        { ':path': path, ':method': method, ...(headers as object) },
        { endStream: false },
      );
      const informs: [number, Headers][] = [];
      stream.on('headers', (fields: http2.IncomingHttpHeaders & { ':status': number }) => {
        if (fields[':status'] !== 100) informs.push([fields[':status'], fields]);
      });
      const failed = once(stream, 'close').then(() => Promise.reject(new Error('closed without an answer')));
      const response = Promise.race([
        once(stream, 'response') as Promise<[http2.IncomingHttpHeaders & { ':status': number }]>,
        failed,
      ]);
      for (const promise of [failed, response]) promise.catch(() => {});
      stream.on('error', () => {});
      const continued = continuedOf(stream, 'continue');
      finish(stream, method, body);
      return {
        sink: stream,
        informs,
        continued,
        async head() {
          const [fields] = await response;
          return { status: fields[':status'], headers: fields, source: stream };
        },
        leave: () => stream.close(http2.constants.NGHTTP2_CANCEL),
      };
    },
    close: () => session.destroy(),
  };
}

function continuedOf(request: NodeJS.EventEmitter, event: string): Promise<unknown> {
  const continued = once(request, event);
  continued.catch(() => {});
  return continued;
}

function finish(sink: Writable, method: string, body: string | Buffer | undefined): void {
  if (body !== undefined) sink.end(body);
  else if (method === 'GET' || method === 'HEAD') sink.end();
}

/** The whole answer; rejects where it is not whole. */
export async function answerTo(asked: Asked): Promise<Answer> {
  const { status, headers, source } = await asked.head();
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk as Buffer);
  return { status, headers, body: Buffer.concat(chunks).toString('latin1') };
}
