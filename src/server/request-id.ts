// Identifiers of requests: unique among processes and restarts, short enough for an error page. Not a security token.
import { randomBytes } from 'node:crypto';

const PROCESS_PREFIX = randomBytes(5).toString('hex');
let last = 0;

export function nextRequestId(): string {
  last += 1;
  return `${PROCESS_PREFIX}-${last.toString(36)}`;
}
