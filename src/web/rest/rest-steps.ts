// Answers the questions of the flow of rest() (rest-flow.ts), each by its name there, from the request and the callbacks.
import { checkConditions } from '../../protocol/http/conditions.ts';
import { parseEntityTag } from '../../protocol/http/entity-tag.ts';
import { parseAccept, parseMediaType } from '../../protocol/http/media-type.ts';
import {
  chooseCharset,
  chooseEncoding,
  chooseLanguage,
  chooseMediaType,
} from '../../protocol/http/negotiation.ts';
import { parseWeighted, type Weighted } from '../../protocol/http/weighted.ts';
import { planContent } from '../files/content-plan.ts';
import { contentTypeOf, produce } from './rest-content.ts';
import type { Accepted, RestCallback } from './rest-resource.ts';
import { isResponse } from '../send-response.ts';
import { Answered, type RestRun, type TypedCallback } from './rest-run.ts';

type Step = (run: RestRun) => Promise<string>;

const DEFAULT_KNOWN = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const yesOrNo = (yes: boolean): string => (yes ? 'yes' : 'no');

/** The steps; `accepts` are the types that the resource takes. */
export function restSteps(accepts: readonly TypedCallback<Accepted>[]): Readonly<Record<string, Step>> {
  return { ...STEPS, ...acceptSteps(accepts) };
}

const STEPS: Readonly<Record<string, Step>> = {
  async available(run) {
    const available = await run.ask(run.resource.serviceAvailable, true);
    if (typeof available === 'boolean') return yesOrNo(available);
    run.retryAfter(available);
    return 'no';
  },

  async knownMethod(run) {
    return yesOrNo((run.resource.knownMethods ?? DEFAULT_KNOWN).includes(run.request.method));
  },

  async uriLength(run) {
    return yesOrNo(await run.ask(run.resource.uriTooLong, false));
  },

  async allowedMethod(run) {
    run.allowed = (await run.list(run.resource.allowedMethods)) ?? possibleMethods(run);
    const allowed = run.allowed.includes(run.request.method);
    // RFC 9110 §15.5.6, §9.3.7
    if (!allowed || run.request.method === 'OPTIONS') run.headers.set('allow', run.allowed.join(', '));
    return yesOrNo(allowed);
  },

  async malformed(run) {
    const malformed = await run.ask(run.resource.malformedRequest, false);
    if (typeof malformed === 'string') run.detail = malformed;
    return yesOrNo(malformed !== false);
  },

  async authorized(run) {
    const authorized = await run.ask(run.resource.isAuthorized, true);
    if (authorized !== true) run.headers.set('www-authenticate', authorized);
    return yesOrNo(authorized === true);
  },

  async forbidden(run) {
    return yesOrNo(await run.ask(run.resource.forbidden, false));
  },

  async rateLimited(run) {
    const limited = await run.ask(run.resource.rateLimited, false);
    if (typeof limited === 'boolean') return yesOrNo(limited);
    run.retryAfter(limited);
    return 'yes';
  },

  async contentHeaders(run) {
    return yesOrNo(await run.ask(run.resource.validContentHeaders, true));
  },

  async contentLength(run) {
    return yesOrNo(await run.ask(run.resource.validContentLength, true));
  },

  async isOptions(run) {
    if (run.request.method !== 'OPTIONS') return 'no';
    const { options } = run.resource;
    if (options === undefined) return 'yes';
    const said = await options(run.request, run.context, run);
    // As for content: one that is not the plain answer is the answer.
    if (isResponse(said) && said.status !== 200) throw new Answered(said);
    run.body = said;
    return 'yes';
  },

  async mediaType(run) {
    const { provides } = run;
    if (provides.length === 0) return 'yes';
    if (provides.length > 1) run.vary('accept');
    const field = run.field('accept');
    // A field that is malformed says nothing.
    run.chosen = chooseMediaType(field === null ? null : parseAccept(field), provides);
    // What a client can read is what it gets; what it sends is another matter.
    return yesOrNo(run.chosen !== null);
  },

  async language(run) {
    const offered = await run.list(run.resource.languages);
    if (offered === null || offered.length === 0) return 'yes';
    if (offered.length > 1) run.vary('accept-language');
    run.language = chooseLanguage(weighted(run, 'accept-language'), offered);
    if (run.language !== null) run.headers.set('content-language', run.language);
    return yesOrNo(run.language !== null);
  },

  async charset(run) {
    const offered = await run.list(run.resource.charsets);
    if (offered === null || offered.length === 0) return 'yes';
    if (offered.length > 1) run.vary('accept-charset');
    run.charset = chooseCharset(weighted(run, 'accept-charset'), offered);
    return yesOrNo(run.charset !== null);
  },

  async encoding(run) {
    const { encodings } = run.resource;
    if (encodings === undefined) return 'yes';
    run.vary('accept-encoding');
    const chosen = chooseEncoding(weighted(run, 'accept-encoding'), Object.keys(encodings));
    if (chosen !== null) run.encoding = chosen;
    return yesOrNo(chosen !== null);
  },

  async exists(run) {
    for (const name of (await run.list(run.resource.variances)) ?? []) run.vary(name.toLowerCase());
    run.exists = await run.ask(run.resource.resourceExists, true);
    return yesOrNo(run.exists);
  },

  async conditions(run) {
    const { etag, lastModified } = run.resource;
    const text = await run.ask<string | null>(etag, null);
    const tag = text === null ? null : parseEntityTag(text);
    if (text !== null && tag === null)
      throw new TypeError(`the callback etag gave ${JSON.stringify(text)}, which is none`);
    const modified = await run.ask<Date | null>(lastModified, null);
    run.validators = { etag: tag, lastModifiedMs: modified?.getTime() ?? null };
    if (text !== null) run.headers.set('etag', text);
    if (modified !== null) run.headers.set('last-modified', modified.toUTCString());
    const verdict = checkConditions(run.request.method, run.fields, run.validators);
    if (verdict === 'proceed') return 'met';
    // RFC 9110 §15.4.5: what a 200 would say of how long it is fresh.
    if (verdict === 304) await sayExpires(run);
    return verdict === 304 ? 'unmodified' : 'failed';
  },

  async missingConditions(run) {
    return checkConditions(run.request.method, run.fields, null) === 412 ? 'failed' : 'met';
  },

  async method(run) {
    const { method } = run.request;
    if (method === 'GET' || method === 'HEAD') return 'GET, HEAD';
    return ['POST', 'PATCH', 'PUT', 'DELETE'].includes(method) ? method : 'other';
  },

  async choices(run) {
    await sayExpires(run);
    const several = await run.ask(run.resource.multipleChoices, false);
    await produce(run);
    return yesOrNo(several);
  },

  async range(run) {
    const { content, validators } = run;
    if (run.resource.ranges !== true || content === null || validators === null) return 'none';
    run.headers.set('accept-ranges', 'bytes');
    // The conditions were looked at already.
    const fields = run.fields.filter((_, i) => ['range', 'if-range'].includes(run.fields[i & ~1] ?? ''));
    const type = contentTypeOf(run);
    run.plan = planContent(run.request.method, fields, {
      size: content.length,
      contentType: type,
      validators,
      fields: [],
      contentFields: ['content-type', type],
    });
    if (run.plan.status === 200) return 'none';
    return run.plan.status === 206 ? 'satisfiable' : 'unsatisfiable';
  },

  async deleted(run) {
    return yesOrNo(await run.ask(run.resource.deleteResource, false));
  },

  async deleteCompleted(run) {
    return yesOrNo(await run.ask(run.resource.deleteCompleted, true));
  },

  async deleteBody(run) {
    return yesOrNo(hasBody(run));
  },

  async missingMethod(run) {
    return yesOrNo(run.request.method === 'PUT');
  },

  putMoved: movedPermanently,

  async previous(run) {
    return yesOrNo(await run.ask(run.resource.previouslyExisted, false));
  },

  moved: movedPermanently,

  async movedForNow(run) {
    return movedTo(run, await run.ask<false | string>(run.resource.movedTemporarily, false));
  },

  gonePost: missingPost,
  missingPost,

  async conflict(run) {
    return yesOrNo(await run.ask(run.resource.isConflict, false));
  },

  async isNew(run) {
    return yesOrNo(run.request.method === 'PUT' && !run.exists);
  },

  async acceptBody(run) {
    return yesOrNo(hasBody(run));
  },
};

async function sayExpires(run: RestRun): Promise<void> {
  const expires = await run.ask<Date | string | null>(run.resource.expires, null);
  if (expires !== null)
    run.headers.set('expires', typeof expires === 'string' ? expires : expires.toUTCString());
}

async function movedPermanently(run: RestRun): Promise<string> {
  return movedTo(run, await run.ask<false | string>(run.resource.movedPermanently, false));
}

function movedTo(run: RestRun, location: false | string): string {
  if (location !== false) run.headers.set('location', location);
  return yesOrNo(location !== false);
}

async function missingPost(run: RestRun): Promise<string> {
  return yesOrNo(run.request.method === 'POST' && (await run.ask(run.resource.allowMissingPost, false)));
}

function acceptSteps(accepts: readonly TypedCallback<Accepted>[]): Readonly<Record<string, Step>> {
  const taken = new WeakMap<RestRun, RestCallback<Accepted>>();
  return {
    async contentType(run) {
      const type = parseMediaType(run.field('content-type') ?? 'application/octet-stream');
      const accepting =
        type === null
          ? null
          : accepts.find((accepted) => chooseMediaType([{ ...accepted, quality: 1 }], [type]));
      if (accepting !== undefined && accepting !== null) {
        taken.set(run, accepting.callback);
        return 'yes';
      }
      const types = accepts.map(({ text }) => text).join(', ');
      // RFC 9110 §12.5.1, §15.5.16; RFC 5789 §3.1
      if (types !== '') run.headers.set(run.request.method === 'PATCH' ? 'accept-patch' : 'accept', types);
      return 'no';
    },

    async accepted(run) {
      const said = await run.ask<Accepted>(taken.get(run), false);
      if (typeof said === 'boolean') return said ? 'done' : 'refused';
      run.headers.set('location', 'created' in said ? said.created : said.seeOther);
      return 'created' in said ? 'created' : 'see other';
    },
  };
}

const hasBody = ({ body }: RestRun): boolean => body !== null && body !== undefined && body !== '';

function weighted(run: RestRun, name: string): Weighted[] | null {
  const field = run.field(name);
  return field === null ? null : parseWeighted(field);
}

/** What the callbacks can answer. */
function possibleMethods({ resource, provides }: RestRun): string[] {
  const methods: string[] = [];
  if (provides.length > 0) methods.push('GET', 'HEAD');
  if (resource.accepts !== undefined) methods.push('POST', 'PUT', 'PATCH');
  if (resource.deleteResource !== undefined) methods.push('DELETE');
  return [...methods, 'OPTIONS'];
}
