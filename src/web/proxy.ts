// The outcome http_proxy: sends a request on to another server and streams its answer back (omni_httpd.md §9.2).
// The connections to upstreams are undici's, which is loaded with the first: it would be a quarter of what a worker loads at its start.
import type { Agent } from 'undici';
import { getField, type FieldLines } from '../protocol/http/field-lines.ts';
import { isConnectionField, namesInConnection } from '../protocol/http/connection-fields.ts';
import type { Exchange } from './exchange.ts';

/** How long an upstream may take to accept, to answer, and between two pieces of its body. h2o's proxy.timeout.io. */
const UPSTREAM_TIMEOUT_MS = 30_000;
/** Idle connections to an upstream are kept this long. */
const KEEP_ALIVE_MS = 4000;
/** Proxies that a request may have passed before it counts as a loop. */
const MAX_HOPS = 20;
const PSEUDONYM = 'howdah';
/** What undici says where the upstream is too slow. */
const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

export interface ProxyTarget {
  readonly url: string;
  /** true: the client's Host is sent; false: the authority of the url. */
  readonly preserveHost: boolean;
}

export class ReverseProxy {
  #agent: Promise<Agent> | null = null;

  /** Answers the exchange with what the upstream says, or 502, 504 or 508. Never rejects. */
  async forward(exchange: Exchange, body: Buffer, target: ProxyTarget): Promise<void> {
    const url = parseUrl(target.url);
    if (url === null) {
      exchange.fail(502, 'the handler named an upstream that is no http or https URL');
      return;
    }
    const via = getField(exchange.head.fields, 'via') ?? '';
    if (via.split(',').length > MAX_HOPS) {
      exchange.fail(508, `the request has passed more than ${MAX_HOPS} proxies`);
      return;
    }
    const left = new AbortController();
    exchange.onClose(() => left.abort());
    try {
      const agent = await (this.#agent ??= makeAgent());
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: exchange.head.method,
        headers: requestFields(exchange, target.preserveHost ? exchange.head.authority : url.host),
        body: body.length > 0 || exchange.head.hasBody ? body : null,
        signal: left.signal,
        responseHeaders: 'raw',
      });
      const fields = responseFields(response.headers as unknown as readonly string[]);
      exchange.respondStreamed({ status: response.statusCode, fields, body: response.body });
    } catch (error) {
      if (left.signal.aborted) return;
      const late = TIMEOUTS.has((error as NodeJS.ErrnoException).code ?? '');
      exchange.fail(
        late ? 504 : 502,
        late ? 'the upstream did not answer in time' : 'the upstream cannot be reached',
      );
    }
  }

  async close(): Promise<void> {
    await (await this.#agent)?.destroy();
  }
}

async function makeAgent(): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({
    connect: { timeout: UPSTREAM_TIMEOUT_MS },
    headersTimeout: UPSTREAM_TIMEOUT_MS,
    bodyTimeout: UPSTREAM_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxRedirections: 0,
  } as Agent.Options);
}

function parseUrl(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
}

/** RFC 9110 §7.6: hop-by-hop fields end here; forwarding fields say what was before. */
function requestFields(exchange: Exchange, host: string): string[] {
  const { fields, version } = exchange.head;
  const dropped = namesInConnection(fields);
  const sent: string[] = ['host', host];
  const cookies: string[] = [];
  let forwardedFor = '';
  let via = '';
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    if (name === 'cookie') cookies.push(value);
    else if (name === 'x-forwarded-for') forwardedFor += `${value}, `;
    else if (name === 'via') via += `${value}, `;
    else if (!NOT_FORWARDED.has(name) && !isConnectionField(name) && !dropped.has(name))
      sent.push(name, value);
  }
  // RFC 9113 §8.2.3: several cookie fields are one in HTTP/1.1.
  if (cookies.length > 0) sent.push('cookie', cookies.join('; '));
  sent.push('x-forwarded-proto', exchange.scheme);
  sent.push('x-forwarded-for', forwardedFor + exchange.peer.address);
  sent.push('via', `${via}${version} ${PSEUDONYM}`);
  return sent;
}

/** Set anew for the next hop, or settled with this one. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(['host', 'content-length', 'expect', 'x-forwarded-proto']);

function responseFields(raw: readonly (string | Buffer)[]): FieldLines {
  const dropped = namesInConnection(raw.map((text) => text.toString('latin1').toLowerCase()));
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toString('latin1');
    const lower = name.toLowerCase();
    if (!isConnectionField(lower) && !dropped.has(lower))
      kept.push(name, (raw[i + 1] ?? '').toString('latin1'));
  }
  return kept;
}
