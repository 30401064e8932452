// One request on its way through the flow of rest(): what is known, chosen and collected so far, and the callbacks asked.
import { parseMediaType, type MediaType } from '../../protocol/http/media-type.ts';
import { getFieldValues, type FieldLines } from '../../protocol/http/field-lines.ts';
import type { Validators } from '../../protocol/http/conditions.ts';
import type { ContentPlan } from '../files/content-plan.ts';
import type { Context } from '../handler.ts';
import { isResponse } from '../send-response.ts';
import type { RestBody, RestCallback, RestResource, RestSelection, RetryAfter } from './rest-resource.ts';

/** A type that is provided or accepted, with its callback. */
export interface TypedCallback<T> extends MediaType {
  readonly text: string;
  readonly callback: RestCallback<T>;
}

/** Thrown where a callback answers by itself. */
export class Answered extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super('answered');
    this.response = response;
  }
}

export class RestRun implements RestSelection {
  readonly resource: RestResource;
  readonly request: Request;
  readonly context: Context;
  readonly provides: readonly TypedCallback<RestBody>[];
  /** Names in lower case. */
  readonly fields: FieldLines;
  readonly headers: Headers = new Headers();
  body: RestBody = null;
  chosen: TypedCallback<RestBody> | null = null;
  language: string | null = null;
  charset: string | null = null;
  encoding = 'identity';
  allowed: readonly string[] = [];
  /** null: nothing is there. */
  validators: Validators | null = null;
  exists = true;
  plan: ContentPlan | null = null;
  content: Uint8Array | null = null;
  detail = '';

  constructor(
    resource: RestResource,
    provides: readonly TypedCallback<RestBody>[],
    request: Request,
    context: Context,
  ) {
    this.resource = resource;
    this.provides = provides;
    this.request = request;
    this.context = context;
    const fields: string[] = [];
    for (const [name, value] of request.headers) fields.push(name, value);
    this.fields = fields;
  }

  get mediaType(): string {
    return this.chosen?.text ?? '';
  }

  /** What the callback says; `otherwise` where there is none. */
  async ask<T>(callback: RestCallback<T> | undefined, otherwise: T): Promise<T> {
    if (callback === undefined) return otherwise;
    const said = await callback(this.request, this.context, this);
    if (isResponse(said)) throw new Answered(said);
    return said;
  }

  /** A list that is given, or asked for. */
  list(
    given: readonly string[] | RestCallback<readonly string[]> | undefined,
  ): Promise<readonly string[] | null> {
    if (typeof given === 'function') return this.ask<readonly string[] | null>(given, null);
    return Promise.resolve(given ?? null);
  }

  /** All values of a request field, joined; null where it is not there. */
  field(name: string): string | null {
    const values = getFieldValues(this.fields, name);
    return values.length === 0 ? null : values.join(', ');
  }

  vary(name: string): void {
    this.headers.append('vary', name);
  }

  retryAfter(when: RetryAfter): void {
    this.headers.set('retry-after', typeof when === 'number' ? String(Math.ceil(when)) : when.toUTCString());
  }
}

/** @throws TypeError where one is no media type */
export function typedCallbacks<T>(
  what: string,
  given: Readonly<Record<string, RestCallback<T>>> | undefined,
): TypedCallback<T>[] {
  return Object.entries(given ?? {}).map(([text, callback]) => {
    const type = parseMediaType(text);
    if (type === null)
      throw new TypeError(`rest(): ${what} has ${JSON.stringify(text)}, which is no media type`);
    if (typeof callback !== 'function') throw new TypeError(`rest(): ${what} of ${text} is no function`);
    return { ...type, text, callback };
  });
}
