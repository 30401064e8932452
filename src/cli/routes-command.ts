// `howdah routes`: the routes of a running server and the problems of those that it left out, as tables or JSON.
import { EXIT_CODES } from './exit-codes.ts';
import type { RoutesSettings } from './program.ts';
import { findServer } from './server-address.ts';
import type { ShellStreams } from './sql-command.ts';
import { openSession } from './sql-session.ts';
import type { SqlSession } from './sql-session.ts';
import { rowCount, textTable } from './text-table.ts';

interface Route {
  /** The pattern; what it leaves out matches anything. */
  readonly match: Readonly<Record<string, string | number>>;
  readonly priority: number;
  readonly handler: string;
  /** `handler`, `middleware`; `no outcome`: it returns none, so that the answer is 204. */
  readonly kind: string;
  readonly router: string;
}

interface Problem {
  readonly router: string;
  readonly match: string | null;
  readonly handler: string | null;
  readonly problem: string;
}

interface RouteList {
  readonly routes: readonly Route[];
  readonly problems: readonly Problem[];
}

// One statement, and so one snapshot: a route cannot be both listed and gone. Ties have an order, so that two lists
// can be compared.
const QUERY = `select jsonb_build_object(
  'routes', (select coalesce(jsonb_agg(jsonb_build_object('match', match, 'priority', priority,
      'handler', handler::text, 'kind', case shape ->> 'outcome' when 'none' then 'no outcome' else type end,
      'router', router::text)
      order by priority desc nulls last, router::text, match::text, handler::text), '[]')
    from omni_httpd.routes, howdah.describe_handlers(array[handler::oid], null)),
  'problems', (select coalesce(jsonb_agg(jsonb_build_object('router', router::text, 'match', match::text,
      'handler', handler::text, 'problem', problem) order by router::text, match::text, handler::text), '[]')
    from howdah.route_problems))`;

/** Gives the exit code. */
export async function runRoutes(settings: RoutesSettings, streams: ShellStreams): Promise<number> {
  const session = await openSession(findServer(settings));
  try {
    const list = await readRoutes(session);
    streams.stdout.write(settings.json ? `${JSON.stringify(list, null, 2)}\n` : routesText(list));
    return EXIT_CODES.done.code;
  } finally {
    await session.close();
  }
}

async function readRoutes(session: SqlSession): Promise<RouteList> {
  let text: string | null | undefined;
  await session.run(QUERY, {
    columns() {},
    row([value]) {
      text = value;
    },
    complete() {},
    copied() {},
  });
  if (typeof text !== 'string') throw new Error('the server did not list its routes');
  return JSON.parse(text) as RouteList;
}

export function routesText({ routes, problems }: RouteList): string {
  const table = textTable(
    [
      { name: 'method' },
      { name: 'host' },
      { name: 'path' },
      { name: 'priority', right: true },
      { name: 'handler' },
      { name: 'kind' },
      { name: 'router' },
    ],
    routes.map(({ match, priority, handler, kind, router }) => [
      String(match['method'] ?? '*'),
      hostOf(match),
      pathOf(match),
      String(priority),
      handler,
      kind,
      router,
    ]),
  );
  const found = `${table}${rowCount(routes.length)}`;
  if (problems.length === 0) return found;
  return `${found}\nLeft out:\n${textTable(
    [{ name: 'router' }, { name: 'match' }, { name: 'handler' }, { name: 'problem' }],
    problems.map(({ router, match, handler, problem }) => [router, match, handler, problem]),
  )}${rowCount(problems.length)}`;
}

function hostOf({ protocol, hostname, port }: Route['match']): string {
  const scheme = protocol === undefined ? '' : `${protocol}://`;
  return `${scheme}${hostname ?? '*'}${port === undefined ? '' : `:${port}`}`;
}

const pathOf = ({ pathname, search }: Route['match']): string =>
  `${pathname ?? '*'}${search === undefined ? '' : `?${search}`}`;
