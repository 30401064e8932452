// Orders to the server that are not to wait for the transaction that gives them (omni_httpd.stop and start with `immediate`):
// heard in what PostgreSQL says to whoever calls the procedure (sql/objects/control.sql).
import type { ErrorFields } from '../../protocol/postgres/backend-messages.ts';
import type { ServerOrder } from '../database.ts';

const ORDER_CODES: ReadonlyMap<string, ServerOrder> = new Map([
  ['HWOFF', 'stop'],
  ['HWON0', 'start'],
]);

export class ServerOrders {
  readonly #listeners = new Set<(order: ServerOrder) => void>();

  /** Returns how to stop. */
  onOrder(listener: (order: ServerOrder) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks at a notice. */
  hear({ code }: ErrorFields): void {
    const order = ORDER_CODES.get(code);
    if (order !== undefined) for (const listener of this.#listeners) listener(order);
  }
}
