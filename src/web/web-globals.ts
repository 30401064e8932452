// Puts constructors in front of the platform's Request and Response, and a function in front of fetch, for applications
// whose handlers run here.
//
// Why globals: applications and frameworks say `new Response(…)` and `new Request(request, …)`, and the platform's own classes
// have private state that nothing else can make or read. So `new Response('text')` has to give an object that has its text at
// hand (light-response.ts), and `new Request(request)` and `fetch(request)` have to take one that has no such state until
// it is needed (light-request.ts). What is put there keeps everything else as it is: the prototypes are the platform's, so
// `instanceof`, subclasses and objects made earlier or by other means work, and whatever is not usual is made by the platform.
// @hono/node-server does the same, for the same reason.
import { lightJson, lightResponse } from './light-response.ts';
import { LightRequest } from './light-request.ts';
import { nativeFetch, NativeRequest, NativeResponse } from './native-classes.ts';

let installed = false;

/** Once per process; does nothing more when called again. */
export function installWebGlobals(): void {
  if (installed) return;
  installed = true;
  stand(ResponseFront, NativeResponse, 'Response');
  Object.defineProperty(ResponseFront, 'json', { value: json, configurable: true, writable: true });
  stand(RequestFront, NativeRequest, 'Request');
  Object.defineProperty(globalThis, 'fetch', {
    value: function fetch(input: unknown, init?: unknown) {
      return Reflect.apply(nativeFetch, undefined, [unwrap(input), init]) as Promise<Response>;
    },
    configurable: true,
    writable: true,
    enumerable: true,
  });
}

function ResponseFront(this: unknown, ...parameters: unknown[]): object {
  if (new.target === undefined)
    throw new TypeError("Class constructor Response cannot be invoked without 'new'");
  if ((new.target as unknown) !== ResponseFront)
    return Reflect.construct(NativeResponse, parameters, new.target);
  return lightResponse(parameters[0], parameters[1]) ?? Reflect.construct(NativeResponse, parameters);
}

function json(data: unknown, init?: ResponseInit): object {
  return lightJson(data, init) ?? NativeResponse.json(data, init);
}

function RequestFront(this: unknown, ...parameters: unknown[]): object {
  if (new.target === undefined)
    throw new TypeError("Class constructor Request cannot be invoked without 'new'");
  const [input, ...rest] = parameters;
  const target = (new.target as unknown) === RequestFront ? NativeRequest : new.target;
  return Reflect.construct(NativeRequest, parameters.length === 0 ? [] : [unwrap(input), ...rest], target);
}

function unwrap(input: unknown): unknown {
  return LightRequest.is(input) ? LightRequest.native(input) : input;
}

/** Has `front` stand for `native`, under its name and with its prototype and static members. */
function stand(
  front: (...parameters: unknown[]) => object,
  native: object & { prototype: object },
  name: string,
): void {
  Object.defineProperty(front, 'name', { value: name, configurable: true });
  Object.defineProperty(front, 'length', {
    value: (native as { length?: number }).length ?? 0,
    configurable: true,
  });
  Object.setPrototypeOf(front, native);
  front.prototype = native.prototype;
  Object.defineProperty(native.prototype, 'constructor', {
    value: front,
    configurable: true,
    writable: true,
  });
  Object.defineProperty(globalThis, name, {
    value: front,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}
