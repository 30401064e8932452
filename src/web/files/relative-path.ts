// From a part of a URL's path to a path below a directory: decoded once, and nothing in it that leads elsewhere. Looks into no
// directory.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** RFC 8615: what stands there is for everybody. */
const WELL_KNOWN = '.well-known';

export interface RelativePath {
  /** Names of directories and, last, of the file; empty for the directory itself. */
  readonly segments: readonly string[];
  /** Ends with a slash, or is empty: only a directory can be meant. */
  readonly directory: boolean;
  /** One of the names begins with a dot, and is not `.well-known`. */
  readonly hidden: boolean;
}

/**
 * `text` as it stands in the URL, percent-encoded, with or without a slash before it. Null where it is no path: an encoding that is
 * none or no UTF-8, a NUL, a name that is empty, `.` or `..`, or that holds a slash or a backslash once it is decoded.
 */
export function relativePath(text: string): RelativePath | null {
  const trimmed = text.startsWith('/') ? text.slice(1) : text;
  if (trimmed === '') return { segments: [], directory: true, hidden: false };
  const encoded = trimmed.split('/');
  const directory = encoded.at(-1) === '';
  if (directory) encoded.pop();
  const segments: string[] = [];
  let hidden = false;
  for (const segment of encoded) {
    const name = segment.includes('%') ? decode(segment) : segment;
    if (name === null || !isName(name)) return null;
    hidden ||= name.startsWith('.') && name !== WELL_KNOWN;
    segments.push(name);
  }
  return { segments, directory, hidden };
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[\0/\\]/.test(name);
}

function decode(segment: string): string | null {
  const bytes = Buffer.from(segment, 'latin1');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0x25) {
      bytes[length++] = bytes[i] ?? 0;
      continue;
    }
    const digits = segment.slice(i + 1, i + 3);
    if (!/^[\dA-Fa-f]{2}$/.test(digits)) return null;
    bytes[length++] = Number.parseInt(digits, 16);
    i += 2;
  }
  try {
    return utf8.decode(bytes.subarray(0, length));
  } catch {
    return null;
  }
}
