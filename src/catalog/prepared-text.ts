// Statements made from routes, with a name that is the same for the same text in all snapshots and all workers, so that a
// session prepares each once.
import { createHash } from 'node:crypto';
import type { PreparedStatement } from '../database/call.ts';

const NAME_PREFIX = 'route ';
// PostgreSQL cuts names of statements at 63 bytes. 22 characters of base64url are 132 bits.
const DIGEST_LENGTH = 22;

/** Results are asked for in binary format. */
export function prepareText(text: string, parameterTypes: readonly number[]): PreparedStatement {
  const digest = createHash('sha256')
    .update(`${parameterTypes.join(' ')}\n${text}`)
    .digest('base64url');
  return { name: NAME_PREFIX + digest.slice(0, DIGEST_LENGTH), text, parameterTypes, resultFormat: 1 };
}
