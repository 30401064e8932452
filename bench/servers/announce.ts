// What every server script of the benchmarks does alike: takes its port, says `ready`, ends on SIGTERM.

/** The port that the harness chose, from BENCH_PORT. */
export function benchPort(): number {
  const port = Number(process.env['BENCH_PORT']);
  if (!Number.isInteger(port) || port < 1) throw new Error('BENCH_PORT is not set');
  return port;
}

/** Tells the harness that connections are accepted; when asked to end, ends the process as soon as `close` is done. */
export function announceReady(close: () => Promise<void> = async () => undefined): void {
  process.on('SIGTERM', () => {
    void close().finally(() => process.exit(0));
  });
  console.log('ready');
}
