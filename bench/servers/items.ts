// The rows that the SQL scenarios look up, insert and answer with. Needs no database (embedded-items.ts, item-server.ts).

export const FIRST_ITEM = 1000;
export const ITEM_COUNT = 1000;

/** The answer to a look-up. */
export function itemBody(id: number): string {
  return `{"id" : ${id}, "name" : "item number ${id}", "price" : ${10_000 + id}}`;
}

const ROWS = 50;

/** The answer to a request for the rows from one on. */
export function itemRows(first: number): { id: number; name: string; price: number }[] {
  return Array.from({ length: ROWS }, (_, index) => {
    const id = first + index;
    return { id, name: `item number ${id}`, price: 10_000 + id };
  });
}

export const SELECT_ROWS = `select id, name, price from bench_items where id >= $1 order by id limit ${ROWS}`;

/** The body of a request that inserts a row, and what its answer looks like. */
export const NOTE = JSON.stringify({ text: 'a note of ordinary length, as one writes it down' });
export const NOTE_ANSWER = /^\{"id" ?: ?"?1\d{9}"?\}$/;
