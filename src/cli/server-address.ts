// Where a running server admits SQL clients: from an URL, or from what the server wrote into its data directory.
import { HowdahError } from '../errors.ts';
import type { GatewayAddress } from './option-values.ts';
import type { ServerChoice } from './program.ts';

export type ServerAddress = GatewayAddress | { readonly url: string };

/** Throws HOWDAH_NO_SERVER if there is none, or it admits no SQL clients. */
export async function findServer({ url, dataDirectory }: ServerChoice): Promise<ServerAddress> {
  if (url !== null) return { url };
  throw new HowdahError('HOWDAH_NO_SERVER', dataDirectory);
}
