// Dates of HTTP (RFC 9110 §5.6.7): the three formats are read, IMF-fixdate is written. Has no clock.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const IMF = /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC_850 =
  /^(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** Two digits of a year from this on are of the 20th century, as POSIX has it; nobody sends that format any more. */
const FIRST_YEAR_OF_1900 = 69;

const MS_PER_DAY = 86_400_000;

/** Milliseconds since 1970 (whole seconds), or null where the text is no date of HTTP. */
export function parseHttpDate(text: string): number | null {
  const imf = IMF.exec(text);
  if (imf !== null) return toMs(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6]);
  const rfc850 = RFC_850.exec(text);
  if (rfc850 !== null) {
    const twoDigits = Number(rfc850[3]);
    const year = twoDigits + (twoDigits < FIRST_YEAR_OF_1900 ? 2000 : 1900);
    return toMs(String(year), rfc850[2], rfc850[1], rfc850[4], rfc850[5], rfc850[6]);
  }
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return null;
  return toMs(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
}

function toMs(year = '', monthName = '', day = '', hour = '', minute = '', second = ''): number | null {
  const month = MONTHS.indexOf(monthName);
  const date = Number(day);
  if (month < 0 || date < 1 || date > daysIn(month, Number(year))) return null;
  // A leap second is a second (§5.6.7: 60 is allowed).
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  // Date.UTC takes a year below 100 for one of the 20th century; no date of HTTP is that old.
  if (Number(year) < 100) return null;
  return Date.UTC(Number(year), month, date, Number(hour), Number(minute), Number(second));
}

function daysIn(month: number, year: number): number {
  return Math.round((Date.UTC(year, month + 1, 1) - Date.UTC(year, month, 1)) / MS_PER_DAY);
}

/** IMF-fixdate of a time in milliseconds since 1970, cut to its second. @throws RangeError for what has no year of four digits */
export function formatHttpDate(ms: number): string {
  const days = Math.floor(ms / MS_PER_DAY);
  const { year, month, day } = civilDate(days);
  if (!(year >= 0 && year <= 9999)) throw new RangeError(`no date of HTTP: ${ms}`);
  const seconds = Math.floor((ms - days * MS_PER_DAY) / 1000);
  const weekday = DAYS[(((days + 4) % 7) + 7) % 7] ?? '';
  const time = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(twoDigits).join(':');
  return `${weekday}, ${twoDigits(day)} ${MONTHS[month] ?? ''} ${String(year).padStart(4, '0')} ${time} GMT`;
}

const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, '0');

/** Days since 1970 as a date of the Gregorian calendar, counted from a March so that leap days come last in a year. */
function civilDate(days: number): { year: number; month: number; day: number } {
  const DAYS_BEFORE_1970 = 719_468; // from 1 March of the year 0
  const DAYS_PER_ERA = 146_097; // 400 years
  const shifted = days + DAYS_BEFORE_1970;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / (DAYS_PER_ERA - 1))) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = (monthFromMarch + 2) % 12;
  return { year: yearOfEra + era * 400 + (month < 2 ? 1 : 0), month, day };
}
