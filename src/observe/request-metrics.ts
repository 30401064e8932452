// Counts of requests that ended, by status and by time, for whoever asks. An observer; keeps no single request.
import type { Observation, Observer } from './observation.ts';

/** Requests that ended since the start. */
export interface RequestMetrics {
  /** By the first digit of their status; 0: nothing was answered. */
  readonly byStatus: readonly number[];
  /** Of those that took at most DURATION_BOUNDS_MS[i] and longer than the bound before, and of all longer ones. */
  readonly byDuration: readonly number[];
  readonly durationMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Those of Prometheus' client libraries, and two below for what takes less than a millisecond here. */
export const DURATION_BOUNDS_MS = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
] as const;

const STATUS_CLASSES = 6;

export class RequestMeter implements Observer {
  readonly #byStatus: number[] = Array.from({ length: STATUS_CLASSES }, () => 0);
  readonly #byDuration: number[] = Array.from({ length: DURATION_BOUNDS_MS.length + 1 }, () => 0);
  #durationMs = 0;
  #receivedBytes = 0;
  #sentBytes = 0;

  get metrics(): RequestMetrics {
    return {
      byStatus: [...this.#byStatus],
      byDuration: [...this.#byDuration],
      durationMs: this.#durationMs,
      receivedBytes: this.#receivedBytes,
      sentBytes: this.#sentBytes,
    };
  }

  observe(observation: Observation): void {
    if (observation.kind !== 'request-done') return;
    const { status, durationMs, receivedBytes, sentBytes } = observation;
    increment(this.#byStatus, Math.min(STATUS_CLASSES - 1, Math.floor(status / 100)));
    const bound = DURATION_BOUNDS_MS.findIndex((limit) => durationMs <= limit);
    increment(this.#byDuration, bound < 0 ? DURATION_BOUNDS_MS.length : bound);
    this.#durationMs += durationMs;
    this.#receivedBytes += receivedBytes;
    this.#sentBytes += sentBytes;
  }
}

function increment(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}
