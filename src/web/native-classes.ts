// The platform's own Request, Response, Headers and fetch, as they were before web-globals.ts put others in front of them.

export const NativeRequest: typeof globalThis.Request = globalThis.Request;
export const NativeResponse: typeof globalThis.Response = globalThis.Response;
export const NativeHeaders: typeof globalThis.Headers = globalThis.Headers;
export const nativeFetch: typeof globalThis.fetch = globalThis.fetch;

/**
 * Gives `prototype` every member of `native` that it has not itself: one that hands on to the platform's object, which
 * `materialise` makes. So an object that is light is whole all the same, also as the platform grows.
 */
export function delegateTo(prototype: object, native: object, materialise: (light: object) => object): void {
  Reflect.deleteProperty(prototype, 'constructor');
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(native))) {
    if (key === 'constructor' || Object.hasOwn(prototype, key)) continue;
    const { get, value } = descriptor as { get?: () => unknown; value?: unknown };
    if (get !== undefined) {
      Object.defineProperty(prototype, key, {
        ...descriptor,
        get(this: object) {
          return get.call(materialise(this));
        },
      });
    } else if (typeof value === 'function') {
      const method = value as (...args: unknown[]) => unknown;
      Object.defineProperty(prototype, key, {
        ...descriptor,
        value(this: object, ...args: unknown[]) {
          return method.apply(materialise(this), args);
        },
      });
    }
  }
  Object.setPrototypeOf(prototype, native);
}
