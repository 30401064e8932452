// Every scenario, in the order in which they run.
import type { Scenario } from '../harness/scenario.ts';
import { bodyHttp2, headersHttp2, plainHttp2, plainHttp2Single, plainHttps, plainHttpsH2 } from './http2.ts';
import { bodyHttp1, headersHttp1, jsonHttp1, pipelinedHttp1, plainHttp1 } from './http1.ts';
import { fetchRoutes, fetchStyle } from './fetch-style.ts';
import { fleetCpu, fleetResend, fleetResendQuick, fleetSql } from './fleet.ts';
import { heldRequestsHttp1, heldRequestsHttp2, idleHttp1, idleHttp2, idleWebSocket } from './memory.ts';
import { liveLatency } from './live-latency.ts';
import { mixed } from './mixed.ts';
import { routes } from './routes.ts';
import { sqlEmbedded, sqlEmbeddedInsert, sqlEmbeddedRows } from './sql-embedded.ts';
import { sqlHttp2 } from './sql-http2.ts';
import { sqlServer } from './sql-server.ts';
import { sqlServerHalfLoad } from './sql-server-half-load.ts';
import { sqlServerInsert, sqlServerRows } from './sql-server-more.ts';
import { startExisting, startFresh } from './start.ts';
import { staticFiles, staticFilesLarge } from './static-files.ts';
import {
  webSocketBinary,
  webSocketDeflate,
  webSocketEcho,
  webSocketEcho16,
  webSocketFanOut,
} from './websocket.ts';

export const SCENARIOS: readonly Scenario[] = [
  plainHttp1,
  pipelinedHttp1,
  headersHttp1,
  jsonHttp1,
  bodyHttp1,
  fetchStyle,
  fetchRoutes,
  staticFiles,
  staticFilesLarge,
  plainHttp2,
  plainHttp2Single,
  headersHttp2,
  bodyHttp2,
  plainHttps,
  plainHttpsH2,
  sqlEmbedded,
  sqlEmbeddedRows,
  sqlEmbeddedInsert,
  sqlHttp2,
  sqlServer,
  sqlServerHalfLoad,
  sqlServerRows,
  sqlServerInsert,
  mixed,
  fleetCpu,
  fleetSql,
  fleetResend,
  fleetResendQuick,
  routes,
  startFresh,
  startExisting,
  idleHttp1,
  idleHttp2,
  idleWebSocket,
  heldRequestsHttp1,
  heldRequestsHttp2,
  webSocketEcho,
  webSocketEcho16,
  webSocketDeflate,
  webSocketBinary,
  webSocketFanOut,
  liveLatency,
];
