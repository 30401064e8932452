// The grammar of RFC 9110 §5 and RFC 3986 §3 that parsers and encoders share: classes of bytes in one table, and checks
// of whole texts. Not a parser of messages.

/** token (RFC 9110 §5.6.2). */
export const TOKEN = 1;
/** A byte inside a field value: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5). */
export const FIELD_VALUE = 2;
/**
 * A byte inside a request target: VCHAR but for `"`, `#`, `<` and `>`. RFC 3986 has also no \ ^ ` { | }, but browsers
 * send them as they are (WHATWG URL, query percent-encode set), and they mean nothing to framing or routing.
 */
export const TARGET = 4;
/** unreserved or sub-delims: a byte of a reg-name other than `%` (RFC 3986 §3.2.2). */
const REG_NAME = 8;
export const DIGIT = 16;
const HEX_DIGIT = 32;

/** Classes of each byte, as bits. */
export const BYTE_CLASS: Uint8Array = makeTable();

function makeTable(): Uint8Array {
  const table = new Uint8Array(256);
  const add = (bit: number, bytes: Iterable<number>): void => {
    for (const byte of bytes) table[byte] = (table[byte] as number) | bit;
  };
  const digits = '0123456789';
  const alphanumerics = `${digits}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`;
  add(TOKEN, Buffer.from(`${alphanumerics}!#$%&'*+-.^_\`|~`));
  add(FIELD_VALUE, [0x09]);
  for (let byte = 0x20; byte < 256; byte++) if (byte !== 0x7f) add(FIELD_VALUE, [byte]);
  for (let byte = 0x21; byte < 0x7f; byte++)
    if (!'"#<>'.includes(String.fromCharCode(byte))) add(TARGET, [byte]);
  add(REG_NAME, Buffer.from(`${alphanumerics}-._~!$&'()*+,;=`));
  add(DIGIT, Buffer.from(digits));
  add(HEX_DIGIT, Buffer.from(`${digits}abcdefABCDEF`));
  return table;
}

/** Whether the character at `index` is in the class; false past the end and above U+00FF. */
export function isInClass(text: string, index: number, bit: number): boolean {
  // charCodeAt gives NaN past the end, and the table has nothing there.
  return ((BYTE_CLASS[text.charCodeAt(index)] ?? 0) & bit) !== 0;
}

function isAllInClass(text: string, start: number, end: number, bit: number): boolean {
  for (let i = start; i < end; i++) if (!isInClass(text, i, bit)) return false;
  return true;
}

/** token = 1*tchar. */
export function isToken(text: string): boolean {
  return text !== '' && isAllInClass(text, 0, text.length, TOKEN);
}

/** Whether the text can be sent as a field value: latin1, no control characters but HTAB. White space around it is allowed. */
export function isFieldValue(text: string): boolean {
  return isAllInClass(text, 0, text.length, FIELD_VALUE);
}

/** 1*DIGIT as a number, or null where it is none or not exact as a double (2^53 or more). */
export function parseDecimal(text: string): number | null {
  if (text === '' || !isAllInClass(text, 0, text.length, DIGIT)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

const MAX_PORT = 65_535;

/** uri-host [ ":" port ] with a host that is not empty (RFC 9110 §7.2); no userinfo. An empty port is one (RFC 3986 §3.2.3). */
export function isAuthority(text: string): boolean {
  const hostEnd = text.charCodeAt(0) === OPENING_BRACKET ? endOfIpLiteral(text) : endOfRegName(text);
  if (hostEnd <= 0) return false;
  if (hostEnd === text.length) return true;
  if (text.charCodeAt(hostEnd) !== COLON) return false;
  let port = 0;
  for (let i = hostEnd + 1; i < text.length; i++) {
    if (!isInClass(text, i, DIGIT)) return false;
    port = port * 10 + text.charCodeAt(i) - ZERO;
  }
  return port <= MAX_PORT;
}

const OPENING_BRACKET = 0x5b;
const COLON = 0x3a;
const PERCENT = 0x25;
const ZERO = 0x30;

/** Index after the reg-name or IPv4 address that the text begins with; -1 for a broken percent-encoding. */
function endOfRegName(text: string): number {
  let i = 0;
  for (;;) {
    if (isInClass(text, i, REG_NAME)) i++;
    else if (text.charCodeAt(i) !== PERCENT) return i;
    else if (isInClass(text, i + 1, HEX_DIGIT) && isInClass(text, i + 2, HEX_DIGIT)) i += 3;
    else return -1;
  }
}

/** Index after "[" IPv6address "]", without counting its groups; -1 where it is none. No IPvFuture and no zone: nobody sends them. */
function endOfIpLiteral(text: string): number {
  let i = 1;
  let colons = 0;
  for (; isInClass(text, i, HEX_DIGIT) || text[i] === ':' || text[i] === '.'; i++)
    if (text[i] === ':') colons++;
  return text[i] === ']' && colons >= 2 ? i + 1 : -1;
}
