// IP addresses as text: which texts are one, and the text of one.

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const GROUP = /^[\da-f]{1,4}$/i;
const GROUPS = 8;
const IPV6_BYTES = 16;

export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** RFC 4291 §2.2, without a zone. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  // The last two groups may be written as an IPv4 address, unless `::` stands behind it.
  const dotted = last.includes('.') && !text.endsWith(':');
  if (dotted && !isIpv4(last)) return false;
  const hexadecimal = dotted ? groups.slice(0, -1) : groups;
  if (!hexadecimal.every((group) => GROUP.test(group))) return false;
  const count = hexadecimal.length + (dotted ? 2 : 0);
  return halves.length === 2 ? count < GROUPS : count === GROUPS;
}

/** The text of RFC 5952 §4 for the address at `bytes[at]`: the longest run of zero groups, the first of equals, is `::`. */
export function ipv6Text(bytes: Buffer, at: number): string {
  const groups: string[] = [];
  let [longest, longestLength] = [0, 1];
  let run = 0;
  for (let i = 0; i < IPV6_BYTES; i += 2) {
    const value = bytes.readUInt16BE(at + i);
    groups.push(value.toString(16));
    run = value === 0 ? run + 1 : 0;
    if (run > longestLength) [longest, longestLength] = [groups.length - run, run];
  }
  if (longestLength < 2) return groups.join(':');
  return `${groups.slice(0, longest).join(':')}::${groups.slice(longest + longestLength).join(':')}`;
}
