// Numbers, money and time as people of a language write them.

export function formatter(language, zone) {
  const number = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium', timeZone: zone, hourCycle: 'h23' });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium', timeZone: zone, hourCycle: 'h23' });
  const day = new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long', timeZone: zone });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'long' });
  const monies = new Map();

  const money = (currency) => {
    if (!monies.has(currency)) {
      monies.set(currency, new Intl.NumberFormat(language, { style: 'currency', currency }));
    }
    return monies.get(currency);
  };

  return {
    number: (n) => number.format(n),
    percent: (part, whole) => percent.format(whole > 0 ? part / whole : 0),
    clock: (ms) => clock.format(ms),
    day: (ms) => day.format(ms),
    exact: (ms) => exact.format(ms),
    /** "R$ 1.234,50" of the text "1234.50": the digits are formatted as they are, never as a double. */
    money: (text, currency) => money(currency).format(text),
    /** The same in pieces, so that the symbol and the cents can be set smaller. */
    moneyParts: (text, currency) => money(currency).formatToParts(text),
    ago(ms) {
      const seconds = Math.max(0, Math.round(ms / 1000));
      if (seconds < 60) return relative.format(-seconds, 'second');
      if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute');
      if (seconds < 86400) return relative.format(-Math.floor(seconds / 3600), 'hour');
      return relative.format(-Math.floor(seconds / 86400), 'day');
    },
  };
}
