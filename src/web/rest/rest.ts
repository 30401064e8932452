// rest(): a handler that answers by the decisions of HTTP (RFC 9110) from what a resource says of itself. The decisions are a
// table (rest-flow.ts); this walks through it.
import type { AnyBindings, Handler } from '../handler.ts';
import { makeResponse, mergeHeaders } from './rest-content.ts';
import { FIRST_STEP, FLOW } from './rest-flow.ts';
import type { RestResource } from './rest-resource.ts';
import { Answered, RestRun, typedCallbacks } from './rest-run.ts';
import { restSteps } from './rest-steps.ts';

export type {
  Accepted,
  RestBody,
  RestCallback,
  RestResource,
  RestSelection,
  RetryAfter,
} from './rest-resource.ts';

/** Hears of each decision: the question and its answer. For tests. */
export type FlowListener = (step: string, answer: string) => void;

/**
 * A handler for all methods of a resource.
 * @throws TypeError where a key of `provides` or `accepts` is no media type
 */
export function rest<B extends AnyBindings = AnyBindings>(resource: RestResource<B>): Handler<B> {
  return observedRest(resource, () => {});
}

export function observedRest<B extends AnyBindings>(
  resource: RestResource<B>,
  listener: FlowListener,
): Handler<B> {
  // Bindings are those of the route: what the callbacks expect is what they are called with.
  const untyped = resource as unknown as RestResource;
  const provides = typedCallbacks('provides', untyped.provides);
  const steps = restSteps(typedCallbacks('accepts', untyped.accepts));
  return async (request, context) => {
    const run = new RestRun(untyped, provides, request, context);
    try {
      let target: string | number = FIRST_STEP;
      while (typeof target === 'string') {
        const step: string = target;
        const answer: string = (await steps[step]?.(run)) ?? '';
        listener(step, answer);
        const next: string | number | undefined = FLOW[step]?.answers[answer];
        if (next === undefined) throw new Error(`the flow has no way on from ${step} with ${answer}`);
        target = next;
      }
      return await makeResponse(run, target);
    } catch (error) {
      if (error instanceof Answered) return withHeaders(error.response, run.headers);
      throw error;
    }
  };
}

/** What was collected goes with an answer that a callback made, unless that says otherwise. */
function withHeaders(response: Response, collected: Headers): Response {
  const headers = new Headers(collected);
  mergeHeaders(headers, response.headers);
  return new Response(response.body, { status: response.status, headers });
}
