// Proactive negotiation (RFC 9110 §12): which of the offered content codings, charsets, languages and media types a request
// prefers. Of equals, the first that is offered.
import type { MediaRange, MediaType } from './media-type.ts';
import type { Weighted } from './weighted.ts';

/**
 * The best of `offered` content codings (lower case) by Accept-Encoding (§12.5.3), `identity` where it is better or nothing
 * else is acceptable; null where not even that is. `accepted` is null for a request without the field.
 */
export function chooseEncoding(
  accepted: readonly Weighted[] | null,
  offered: readonly string[],
): string | null {
  if (accepted === null) return 'identity';
  let best: string | null = null;
  let bestQuality = 0;
  for (const coding of offered) {
    if (coding === 'identity') continue;
    const quality = encodingQuality(accepted, coding);
    if (quality > bestQuality) [best, bestQuality] = [coding, quality];
  }
  const identity = identityQuality(accepted);
  if (best !== null && bestQuality >= identity.quality) return best;
  // Not named, identity is acceptable, but what is named is preferred.
  if (best !== null && !identity.named) return best;
  return identity.quality > 0 ? 'identity' : null;
}

const ALIASES: Readonly<Record<string, string>> = { gzip: 'x-gzip', compress: 'x-compress' };

function encodingQuality(accepted: readonly Weighted[], coding: string): number {
  const alias = ALIASES[coding];
  const named = accepted.find(({ value }) => value === coding || value === alias);
  return (named ?? accepted.find(({ value }) => value === '*'))?.quality ?? 0;
}

function identityQuality(accepted: readonly Weighted[]): { quality: number; named: boolean } {
  const named = accepted.find(({ value }) => value === 'identity');
  if (named !== undefined) return { quality: named.quality, named: true };
  const any = accepted.find(({ value }) => value === '*');
  return { quality: any?.quality === 0 ? 0 : 1, named: false };
}

/** The best of the charsets by Accept-Charset (§12.5.2), null where none is acceptable. */
export function chooseCharset(
  accepted: readonly Weighted[] | null,
  offered: readonly string[],
): string | null {
  return chooseBest(offered, (charset) => {
    if (accepted === null) return 1;
    const lower = charset.toLowerCase();
    const named = accepted.find(({ value }) => value === lower);
    return (named ?? accepted.find(({ value }) => value === '*'))?.quality ?? 0;
  });
}

/**
 * The best of the languages by Accept-Language (§12.5.4), null where none is acceptable. A range accepts the tags that it is a
 * prefix of (basic filtering, RFC 4647 §3.3.1), the longest range that does says how much.
 */
export function chooseLanguage(
  accepted: readonly Weighted[] | null,
  offered: readonly string[],
): string | null {
  return chooseBest(offered, (language) => {
    if (accepted === null) return 1;
    const tag = language.toLowerCase();
    let length = -1;
    let quality = 0;
    for (const range of accepted) {
      const specific = range.value === '*' ? 0 : range.value.length;
      const fits = range.value === '*' || tag === range.value || tag.startsWith(`${range.value}-`);
      if (fits && specific > length) [length, quality] = [specific, range.quality];
    }
    return quality;
  });
}

/** The best of the media types by Accept (§12.5.1), null where none is acceptable. The most specific range decides on each. */
export function chooseMediaType<T extends MediaType>(
  accepted: readonly MediaRange[] | null,
  offered: readonly T[],
): T | null {
  return chooseBest(offered, (type) => {
    if (accepted === null) return 1;
    let precedence = -1;
    let quality = 0;
    for (const range of accepted) {
      const specific = precedenceOf(range, type);
      if (specific > precedence) [precedence, quality] = [specific, range.quality];
    }
    return quality;
  });
}

/** How specific a range is that accepts the type; -1 where it does not. */
function precedenceOf(range: MediaRange, type: MediaType): number {
  if (range.type === '*') return 0;
  if (range.type !== type.type) return -1;
  if (range.subtype === '*') return 1;
  if (range.subtype !== type.subtype) return -1;
  for (const [name, value] of range.parameters) {
    const given = type.parameters.get(name);
    // What charset the type is offered in is not said by the type alone: not a reason to refuse it.
    if (given === undefined && name === 'charset') continue;
    if (given?.toLowerCase() !== value.toLowerCase()) return -1;
  }
  return 2 + range.parameters.size;
}

function chooseBest<T>(offered: readonly T[], qualityOf: (offer: T) => number): T | null {
  let best: T | null = null;
  let bestQuality = 0;
  for (const offer of offered) {
    const quality = qualityOf(offer);
    if (quality > bestQuality) [best, bestQuality] = [offer, quality];
  }
  return best;
}
