// application(): what a module gives howdah to serve, checked. It starts nothing: `howdah serve` loads the module in each of
// its worker processes, and `serve()` takes the same object within another program.
import type { StreamHandlerFactory } from '../server/stream-handler.ts';
import type { ApplicationDefinition } from './application.ts';
import { checkMiddlewares, nameOf, route, type Route } from './route.ts';

/** An address that an application is to be served at. */
export interface ApplicationListener {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Default http. */
  readonly protocol?: 'http' | 'https';
}

/** What a server serves: routes, middlewares (ApplicationDefinition), and what stands around them. */
export interface ApplicationConfig extends ApplicationDefinition {
  /** See every event and command of every stream, the first outermost: compress(), metrics() and the like. */
  readonly streamHandlers?: readonly StreamHandlerFactory[];
  /** Become rows of omni_httpd.listeners where there are none like them. `--listen` goes before. */
  readonly listeners?: readonly ApplicationListener[];
  /** Has what no route matches go to the procedure omni_httpd.handler, as without an application. Default: 404, 405. */
  readonly sqlFallback?: boolean;
}

const NAMES: ReadonlySet<string> = new Set([
  'routes',
  'middlewares',
  'streamHandlers',
  'listeners',
  'sqlFallback',
] satisfies (keyof ApplicationConfig)[]);

/**
 * Checks what a server is to serve, and gives it back: what a module exports as its default.
 * @throws TypeError that says what is wrong
 */
export function application(config: ApplicationConfig): ApplicationConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new TypeError(`application(): an object is expected, not ${nameOf(config)}`);
  }
  for (const name of Object.keys(config)) {
    if (!NAMES.has(name)) throw new TypeError(`application(): there is no option ${name}`);
  }
  const { routes, middlewares = [], streamHandlers = [], listeners = [] } = config;
  if (!Array.isArray(routes)) {
    throw new TypeError(`application(): routes are an array, not ${nameOf(routes)}`);
  }
  for (const [index, each] of (routes as readonly unknown[]).entries()) {
    if (!isRoute(each)) {
      throw new TypeError(`application(): routes[${index}] is ${nameOf(each)}, not what route() makes`);
    }
  }
  checkMiddlewares('application()', middlewares);
  if (!Array.isArray(streamHandlers)) {
    throw new TypeError(`application(): streamHandlers are an array, not ${nameOf(streamHandlers)}`);
  }
  for (const [index, handler] of (streamHandlers as readonly unknown[]).entries()) {
    const open: unknown =
      typeof handler === 'object' && handler !== null && 'open' in handler ? handler.open : null;
    if (typeof open !== 'function') {
      throw new TypeError(`application(): streamHandlers[${index}] is ${nameOf(handler)}, without open()`);
    }
  }
  if (!Array.isArray(listeners)) {
    throw new TypeError(`application(): listeners are an array, not ${nameOf(listeners)}`);
  }
  for (const listener of listeners as readonly unknown[]) checkListener(listener);
  return config;
}

function checkListener(listener: unknown): void {
  if (typeof listener !== 'object' || listener === null) {
    throw new TypeError(`application(): a listener is an object with a port, not ${nameOf(listener)}`);
  }
  const { address, port, protocol } = listener as Partial<Record<keyof ApplicationListener, unknown>>;
  if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535) {
    throw new TypeError('application(): the port of a listener is a whole number from 0 to 65535');
  }
  if (address !== undefined && typeof address !== 'string') {
    throw new TypeError(`application(): the address of a listener is a text, not ${nameOf(address)}`);
  }
  if (protocol !== undefined && protocol !== 'http' && protocol !== 'https') {
    throw new TypeError('application(): the protocol of a listener is http or https');
  }
}

/**
 * What the default export of a module stands for: what application() gives, an object like it, or a fetch-style application, which gets
 * every request.
 * @throws TypeError
 */
export function applicationOf(exported: unknown): ApplicationConfig {
  if (
    typeof exported === 'object' &&
    exported !== null &&
    'routes' in exported &&
    Array.isArray(exported.routes)
  ) {
    // Hono has `routes`, too, and is no application of howdah's.
    const ours = !('fetch' in exported) || exported.routes.every(isRoute);
    if (ours) return application(exported as unknown as ApplicationConfig);
  }
  if (
    typeof exported === 'object' &&
    exported !== null &&
    'fetch' in exported &&
    typeof exported.fetch === 'function'
  ) {
    return application({ routes: [route('/*', exported as never)] });
  }
  throw new TypeError(`its default export is ${nameOf(exported)}`);
}

function isRoute(value: unknown): value is Route {
  return (
    typeof value === 'object' && value !== null && 'parts' in value && 'target' in value && 'pattern' in value
  );
}
