// The version of the package, as its package.json gives it.
import { readFileSync } from 'node:fs';

/** For example `0.1.0`. */
export function packageVersion(): string {
  // The same relative path from src/fleet and from dist/fleet.
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error('package.json has no version');
}
