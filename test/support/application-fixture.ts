// An application served on a free port, over the whole pipeline, without a database. No test itself.
import { emptyRows } from '../../src/catalog/snapshot.ts';
import { Catalog } from '../../src/catalog/catalog.ts';
import type { Observation } from '../../src/observe/observation.ts';
import {
  Application,
  type ApplicationDefinition,
  type ApplicationServices,
} from '../../src/web/application.ts';
import type { Events } from '../../src/web/events.ts';
import type { SqlClient } from '../../src/web/sql-client.ts';
import { startHttp, type FixtureOptions, type HttpFixture } from './http-fixture.ts';

export interface ApplicationFixture extends HttpFixture {
  readonly catalog: Catalog;
  readonly origin: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Has other routes serve from now on. */
  replace(definition: ApplicationDefinition): void;
}

export interface ApplicationFixtureOptions extends FixtureOptions {
  readonly services?: Partial<ApplicationServices>;
}

const NO_EVENTS: Events = {
  publish: () => Promise.reject(new Error('there is no database')),
  subscribe: () => ({ ready: Promise.resolve(), place: '', stop: () => {} }),
};

export async function startApplication(
  definition: ApplicationDefinition,
  options: ApplicationFixtureOptions = {},
): Promise<ApplicationFixture> {
  const observer = { observe: (observation: Observation) => fixture.observe(observation) };
  const catalog = new Catalog({
    loadRows: () => Promise.resolve({ ...emptyRows(), epoch: '1' }),
    dispatcher: { dispatch: (call) => call.complete({ kind: 'no-row' }) },
    observer,
    proxy: () => {
      throw new Error('not expected');
    },
    file: () => {
      throw new Error('not expected');
    },
    maxBodyBytes: 1_000_000,
    maxResultBytes: 1_000_000,
    handlerTimeoutMs: 30_000,
    dev: false,
  });
  const services: ApplicationServices = {
    db: (() => Promise.reject(new Error('there is no database'))) as unknown as SqlClient,
    events: NO_EVENTS,
    observer,
    handlerTimeoutMs: 30_000,
    maxBodyBytes: 1_000_000,
    dev: false,
    ...options.services,
  };
  const fixture = await startHttp(catalog.handle, options);
  await catalog.refresh();
  const replace = (next: ApplicationDefinition): void => {
    catalog.setApplication({ application: new Application(next, services), sqlFallback: false });
  };
  replace(definition);
  const origin = `http://127.0.0.1:${fixture.port}`;
  return Object.assign(fixture, {
    catalog,
    origin,
    fetch: (path: string, init?: RequestInit) => fetch(origin + path, init),
    replace,
  });
}
