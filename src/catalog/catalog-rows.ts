// The rows that a catalog is compiled from, as the SQL function howdah.catalog() returns them (one JSON value, read
// in one snapshot of the database). Not validated or compiled here.
import type { UrlPatternParts } from '../web/url-pattern.ts';

export interface CatalogRows {
  /** Decimal text; grows with every committed change of the catalog. */
  readonly epoch: string;
  /** OIDs of the types that calls are encoded with. */
  readonly types: {
    readonly httpRequest: number;
    readonly httpMethod: number;
    readonly httpHeader: number;
    readonly httpHeaderArray: number;
    readonly httpHeaders: number;
    readonly httpOutcome: number;
  };
  readonly listeners: readonly ListenerRow[];
  readonly routes: readonly RouteRow[];
  readonly webSockets: readonly WebSocketRow[];
  /** What the database itself found wrong (a router that cannot be read …); reported like compile problems. */
  readonly problems: readonly RouteProblem[];
}

export interface ListenerRow {
  readonly id: number;
  /** Text of an inet without prefix length. */
  readonly address: string;
  readonly port: number;
  readonly effectivePort: number;
  /** Others that this host served the row on before, the likeliest first. */
  readonly rememberedPorts?: readonly number[];
  readonly protocol: 'http' | 'https';
}

export type UrlPatternRow = UrlPatternParts;

export interface RouteRow {
  /** Qualified, quoted name of the router relation. */
  readonly router: string;
  /** The matched router row as a record literal, to be cast to `router`'s row type. */
  readonly row: string;
  readonly match: UrlPatternRow;
  readonly priority: number;
  /** Qualified, quoted name with argument types, as regprocedure prints it with an empty search_path. */
  readonly handler: string;
  /** Qualified, quoted name without arguments. */
  readonly name: string;
  readonly kind: 'function' | 'procedure';
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** Whether the function is set-returning, an aggregate, variadic …: what cannot be a handler. */
  readonly returnsSet: boolean;
  readonly securityDefiner: boolean;
  /** Whether PostgreSQL does not run it where an argument is null. */
  readonly strict?: boolean;
  /**
   * Whether it certainly leaves nothing behind that another call in the same session could see: no setting, no lock. Default: that is
   * not known.
   */
  readonly leavesNothing?: boolean;
  /**
   * How it gives its outcome: function result, first OUT parameter, INOUT parameter (then it is middleware), or not
   * at all (then the outcome becomes null).
   */
  readonly outcome: 'result' | 'out' | 'inout' | 'none';
  readonly arguments: readonly HandlerArgument[];
  /** Role of omni_httpd.handler_role, or null. */
  readonly role: string | null;
  /**
   * Qualified name of the function that runs the handler as its role (sql/objects/stand_ins.sql): it takes the same arguments
   * without those that are OUT, and returns the outcome. null where there is no role.
   */
  readonly standIn: string | null;
  /** howdah.handler_options. */
  readonly retry?: boolean;
  readonly cancelOnDisconnect?: boolean;
}

export interface HandlerArgument {
  readonly mode: 'in' | 'out' | 'inout';
  /** What is passed: by type (omni_httpd.md §8.2). `null`: anything else. */
  readonly pass: 'request' | 'row' | 'listener' | 'outcome' | 'null';
  /** Qualified type name, as format_type prints it with an empty search_path. */
  readonly type: string;
  /** Its name; missing where it has none. */
  readonly parameter?: string;
}

/** A row of howdah.websocket_router. */
export interface WebSocketRow {
  readonly match: UrlPatternRow;
  readonly priority: number;
  /** The function that decides, as regprocedure prints it, and its qualified, quoted name. */
  readonly handler: string;
  readonly name: string;
  /** Whether it returns an http_outcome, and not a boolean. */
  readonly outcome: boolean;
  readonly arguments: readonly WebSocketArgument[];
  readonly callbacks: {
    readonly on_open?: WebSocketCallback;
    readonly on_message?: WebSocketCallback;
    readonly on_binary?: WebSocketCallback;
    readonly on_close?: WebSocketCallback;
  };
  readonly onError: 'keep' | 'close';
  /** Why it cannot be used, or null. */
  readonly problem: string | null;
}

export interface WebSocketCallback {
  /** Qualified, quoted name. */
  readonly name: string;
  readonly arguments: readonly WebSocketArgument[];
}

export interface WebSocketArgument {
  /** `null`: nothing by its type or its place; it may have the name of a group. */
  readonly pass: 'listener' | 'socket' | 'request' | 'data' | 'null';
  /** Qualified type name, as format_type prints it with an empty search_path. */
  readonly type: string;
  /** Its name; missing where it has none. */
  readonly parameter?: string;
}

export interface RouteProblem {
  readonly router: string;
  readonly match: string;
  readonly handler: string;
  readonly problem: string;
}
