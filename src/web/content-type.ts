// The content type of a file by its name: the types of the `mrmime` package, with the charset that text is in. Looks into
// no file.
import { mimes } from 'mrmime';

const TYPES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(mimes),
  // Registered or in use everywhere, and not in the package, which leaves out vendors' types.
  ['ico', 'image/x-icon'],
  ['apk', 'application/vnd.android.package-archive'],
  ['parquet', 'application/vnd.apache.parquet'],
  ['zst', 'application/zstd'],
]);

const UNKNOWN = 'application/octet-stream';

/**
 * The value of `content-type` for a file with that name: by what follows the last dot, in any case. Text has `charset`
 * (default utf-8; null: none is said, of JSON neither); XML says by itself what it is in (RFC 7303 §3), and JSON is always
 * UTF-8.
 */
export function contentTypeOf(fileName: string, charset: string | null = 'utf-8'): string {
  const extension = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();
  const type = TYPES.get(extension) ?? UNKNOWN;
  if (charset === null) return type;
  if (isJson(type)) return `${type}; charset=utf-8`;
  return type.startsWith('text/') && type !== 'text/xml' ? `${type}; charset=${charset}` : type;
}

function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}
