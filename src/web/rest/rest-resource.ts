// What an application says of a resource: the callbacks of rest(), all optional. Not the order in which they are asked (rest-flow.ts).
import type { AnyBindings, Context } from '../handler.ts';

/** Text is sent as UTF-8; a Response brings fields of its own. Null or undefined: no content. */
export type RestBody =
  string | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Response | null | undefined;

/** Seconds from now, or a time: sent as Retry-After (RFC 9110 §10.2.3). */
export type RetryAfter = number | Date;

/** What was chosen for the response, and what is collected for it. */
export interface RestSelection {
  /** Of the types in `provides`, as it stands there; empty before it is chosen. */
  readonly mediaType: string;
  readonly language: string | null;
  readonly charset: string | null;
  /** `identity`, or one of `encodings`. */
  readonly encoding: string;
  /** Fields of the response, whatever it will be. */
  readonly headers: Headers;
  /** Content of a response to POST, PUT, PATCH or DELETE; null: none, and 204. */
  body: RestBody;
}

type Awaitable<T> = T | Promise<T>;

/** A callback may answer by itself with a Response: nothing further is asked. */
export type RestCallback<T, B extends AnyBindings = AnyBindings> = (
  request: Request,
  context: Context<B>,
  selection: RestSelection,
) => Awaitable<T | Response>;

/** What an acceptor says: false is 400; `created` 201 with Location, `seeOther` 303. */
export type Accepted = boolean | { readonly created: string } | { readonly seeOther: string };

/** A resource: what it is, and what may be done with it. Each callback is optional; what it says by default is what most mean. */
export interface RestResource<B extends AnyBindings = AnyBindings> {
  /** false, or when to come again: 503. Default true. */
  readonly serviceAvailable?: RestCallback<boolean | RetryAfter, B>;
  /** Others are answered with 501. Default: those of RFC 9110 but CONNECT and TRACE, and PATCH. */
  readonly knownMethods?: readonly string[];
  /** true: 414. Default false. */
  readonly uriTooLong?: RestCallback<boolean, B>;
  /** Others are answered with 405 and Allow. Default: what the other callbacks can answer, and OPTIONS. */
  readonly allowedMethods?: readonly string[] | RestCallback<readonly string[], B>;
  /** true, or a text that says why: 400. Default false. */
  readonly malformedRequest?: RestCallback<boolean | string, B>;
  /** true, or the challenge to answer with (`Basic realm="…"`): 401. Default true. */
  readonly isAuthorized?: RestCallback<true | string, B>;
  /** true: 403. Default false. */
  readonly forbidden?: RestCallback<boolean, B>;
  /** true, or when to come again: 429. Default false. */
  readonly rateLimited?: RestCallback<boolean | RetryAfter, B>;
  /** false: 501, for a Content-* field that is not understood (RFC 9110 §9.3.4). Default true. */
  readonly validContentHeaders?: RestCallback<boolean, B>;
  /** false: 413. Default true. */
  readonly validContentLength?: RestCallback<boolean, B>;
  /** Called for OPTIONS; Allow is sent in any case. */
  readonly options?: RestCallback<RestBody, B>;

  /** What a GET can be answered with, by media type, best first. */
  readonly provides?: Readonly<Record<string, RestCallback<RestBody, B>>>;
  /** Tags, best first. Default: not chosen. */
  readonly languages?: readonly string[] | RestCallback<readonly string[], B>;
  /** Default: not chosen; text is UTF-8. In another one, `provides` gives bytes. */
  readonly charsets?: readonly string[] | RestCallback<readonly string[], B>;
  /** What makes content of a coding out of bytes, best first. `identity` is always among them. */
  readonly encodings?: Readonly<Record<string, (content: Uint8Array) => Awaitable<Uint8Array>>>;
  /** Fields besides Accept* that the response depends on. */
  readonly variances?: readonly string[] | RestCallback<readonly string[], B>;
  /** Whether ranges of bytes are sent, of text and of bytes. Default false. */
  readonly ranges?: boolean;

  /** Default true. */
  readonly resourceExists?: RestCallback<boolean, B>;
  /** `"…"` or `W/"…"`. Default none. */
  readonly etag?: RestCallback<string | null, B>;
  readonly lastModified?: RestCallback<Date | null, B>;
  readonly expires?: RestCallback<Date | string | null, B>;
  /** true: 300, with the content that says which. Default false. */
  readonly multipleChoices?: RestCallback<boolean, B>;

  /** Of what is not there any more. Default false. */
  readonly previouslyExisted?: RestCallback<boolean, B>;
  /** Where it is now: 301. Default false. */
  readonly movedPermanently?: RestCallback<false | string, B>;
  /** Where it is for now: 307. Default false. */
  readonly movedTemporarily?: RestCallback<false | string, B>;
  /** Whether POST is taken where nothing is. Default false. */
  readonly allowMissingPost?: RestCallback<boolean, B>;

  /** What POST, PUT and PATCH bring, by media type; a star as subtype, or as both, takes any. */
  readonly accepts?: Readonly<Record<string, RestCallback<Accepted, B>>>;
  /** true: 409 to PUT. Default false. */
  readonly isConflict?: RestCallback<boolean, B>;
  /** true: it is, or will be, deleted; false: 500. */
  readonly deleteResource?: RestCallback<boolean, B>;
  /** false: it will be: 202. Default true. */
  readonly deleteCompleted?: RestCallback<boolean, B>;

  /** Makes the content of responses from 400 on; undefined: a line of text. */
  readonly errorBody?: (status: number, detail: string, request: Request) => Awaitable<Response | undefined>;
}
