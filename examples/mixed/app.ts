// SQL and TypeScript in one application, over the same tables: howdah serve --sql examples/mixed/schema.sql examples/mixed/app.ts
//
//   GET  /orders          SQL: a template as the target of a route
//   POST /orders          TypeScript: a transaction
//   GET  /orders/stream   TypeScript: rows as they are read
//   GET  /totals          SQL: a function with a row in a router (schema.sql)
import { application, route, sql } from 'howdah';

interface Order {
  readonly product: string;
  readonly quantity: number;
}

function parseOrder(value: unknown): Order | null {
  if (typeof value !== 'object' || value === null) return null;
  const { product, quantity } = value as Partial<Order>;
  return typeof product === 'string' && Number.isInteger(quantity) ? (value as Order) : null;
}

export default application({
  routes: [
    route('GET /orders', sql`select id, product, quantity from shop.orders order by id`),

    route('POST /orders', async (request, { db }) => {
      const order = parseOrder(await request.json().catch(() => null));
      if (order === null)
        return Response.json({ error: 'an order has a product and a quantity' }, { status: 400 });
      const { product, quantity } = order;
      return db.transaction(async (tx) => {
        const taken = await tx.execute(sql`
          update shop.stock set quantity = quantity - ${quantity}
          where product = ${product} and quantity >= ${quantity}`);
        if (taken === 0) return Response.json({ error: 'not in stock' }, { status: 409 });
        const [made] = await tx`
          insert into shop.orders (product, quantity) values (${product}, ${quantity}) returning id, product, quantity`;
        return Response.json(made, { status: 201 });
      });
    }),

    route('GET /orders/stream', (_request, { db }) => {
      async function* lines(): AsyncGenerator<Uint8Array> {
        const encoder = new TextEncoder();
        for await (const row of db.stream('select id, product, quantity from shop.orders order by id')) {
          yield encoder.encode(`${JSON.stringify(row)}\n`);
        }
      }
      return new Response(ReadableStream.from(lines()), { headers: { 'content-type': 'application/jsonl' } });
    }),
  ],
});
