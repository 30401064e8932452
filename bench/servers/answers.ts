// What the servers without a database answer, the same for howdah and its peers.

/** `GET /` */
export const TEXT = 'Hello, World!';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** `GET /json`: made anew for each request, as an application would. */
export function jsonValue() {
  return {
    id: 4711,
    name: 'Hello, World!',
    price: 12.5,
    inStock: true,
    tags: ['first', 'second', 'third'],
    maker: { id: 11, name: 'Example & Sons', country: 'NL' },
  };
}
export const JSON_TYPE = 'application/json';

/** What `POST /` gives back is what it got, up to this size. */
export const MAX_BODY_BYTES = 1_000_000;
