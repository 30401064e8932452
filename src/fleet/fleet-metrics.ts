// What a server counts, in Prometheus' text format (version 0.0.4). Written from what the workers last told of themselves.
import { DURATION_BOUNDS_MS } from '../observe/request-metrics.ts';
import type { WorkerReport } from './node-report.ts';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (worker: WorkerReport) => number | undefined;
}

const METRICS: readonly Metric[] = [
  {
    name: 'howdah_worker_up',
    type: 'gauge',
    help: 'Whether the worker serves.',
    value: ({ state }) => (state === 'serving' ? 1 : 0),
  },
  {
    name: 'howdah_worker_restarts_total',
    type: 'counter',
    help: 'Times the worker was started anew after it had ended or hung.',
    value: ({ restarts }) => restarts,
  },
  {
    name: 'howdah_connections',
    type: 'gauge',
    help: 'Open connections of clients.',
    value: ({ connections }) => connections,
  },
  {
    name: 'howdah_requests_open',
    type: 'gauge',
    help: 'Requests that are being answered.',
    value: ({ openRequests }) => openRequests,
  },
  {
    name: 'howdah_sessions',
    type: 'gauge',
    help: 'Open PostgreSQL sessions for calls.',
    value: ({ sessions }) => sessions,
  },
  {
    name: 'howdah_sessions_busy',
    type: 'gauge',
    help: 'Those that run a call.',
    value: ({ busySessions }) => busySessions,
  },
  {
    name: 'howdah_calls_queued',
    type: 'gauge',
    help: 'Calls that wait for a session.',
    value: ({ queuedCalls }) => queuedCalls,
  },
  {
    name: 'howdah_calls_sent_total',
    type: 'counter',
    help: 'Calls that a sibling ran for the worker.',
    value: ({ callsSent }) => callsSent,
  },
  {
    name: 'howdah_calls_taken_total',
    type: 'counter',
    help: 'Calls that the worker ran for a sibling.',
    value: ({ callsTaken }) => callsTaken,
  },
  {
    name: 'howdah_received_bytes_total',
    type: 'counter',
    help: 'Bytes of request bodies.',
    value: ({ metrics }) => metrics?.receivedBytes,
  },
  {
    name: 'howdah_sent_bytes_total',
    type: 'counter',
    help: 'Bytes of response bodies.',
    value: ({ metrics }) => metrics?.sentBytes,
  },
];

export function metricsText(workers: readonly WorkerReport[]): string {
  const lines: string[] = [];
  for (const { name, type, help, value } of METRICS) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const worker of workers) {
      const found = value(worker);
      if (found !== undefined) lines.push(`${name}{worker="${worker.slot}"} ${found}`);
    }
  }
  lines.push(
    '# HELP howdah_requests_total Requests that ended, by the first digit of their status (0: none).',
  );
  lines.push('# TYPE howdah_requests_total counter');
  for (const { slot, metrics } of workers) {
    metrics?.byStatus.forEach((count, digit) => {
      lines.push(
        `howdah_requests_total{worker="${slot}",status="${digit === 0 ? '0' : `${digit}xx`}"} ${count}`,
      );
    });
  }
  lines.push('# HELP howdah_request_duration_seconds From the head of a request to the end of its response.');
  lines.push('# TYPE howdah_request_duration_seconds histogram');
  for (const { slot, metrics } of workers) {
    if (metrics === undefined) continue;
    let sum = 0;
    metrics.byDuration.forEach((count, i) => {
      sum += count;
      const bound = DURATION_BOUNDS_MS[i];
      const le = bound === undefined ? '+Inf' : String(bound / 1000);
      lines.push(`howdah_request_duration_seconds_bucket{worker="${slot}",le="${le}"} ${sum}`);
    });
    lines.push(`howdah_request_duration_seconds_sum{worker="${slot}"} ${metrics.durationMs / 1000}`);
    lines.push(`howdah_request_duration_seconds_count{worker="${slot}"} ${sum}`);
  }
  return `${lines.join('\n')}\n`;
}
