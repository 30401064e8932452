// Where a running server admits SQL clients: from an URL, or from what the server wrote into its data directory.
import { existsSync } from 'node:fs';
import { readRuntime } from '../database/embedded/runtime-file.ts';
import { HowdahError } from '../errors.ts';
import { parseTcpAddress } from './option-values.ts';
import type { GatewayAddress } from './option-values.ts';
import type { ServerChoice } from './server-choice.ts';

export type ServerAddress = GatewayAddress | { readonly url: string };

/** Throws HOWDAH_NO_SERVER if there is none, or it admits no SQL clients. */
export function findServer({ url, dataDirectory }: ServerChoice): ServerAddress {
  if (url !== null) return { url };
  if (!existsSync(dataDirectory)) {
    throw new HowdahError('HOWDAH_NO_SERVER', `there is no data directory ${dataDirectory} here`);
  }
  const runtime = readRuntime(dataDirectory);
  if (runtime === null)
    throw new HowdahError('HOWDAH_NO_SERVER', `none uses the data directory ${dataDirectory}`);
  if (runtime.gateway === null) {
    throw new HowdahError(
      'HOWDAH_NO_SERVER',
      `the one of ${dataDirectory} (process ${runtime.pid}) admits no SQL clients: see its --pg-listen`,
    );
  }
  return runtime.gateway.includes('/') ? { path: runtime.gateway } : parseTcpAddress(runtime.gateway);
}
