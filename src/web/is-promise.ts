// Whether an application gave something that is to be waited for. Not only the platform's promises: libraries have their own.

export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    value instanceof Promise ||
    (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function')
  );
}
