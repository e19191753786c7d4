// The promises as arithmetic: what was accepted, against what arrived.
//
// Events of these tests carry payload.stream (their ordering key) and payload.n (1, 2, 3 … of it).

// {sent, delivered, duplicates, lost, foreign, disordered}: disordered counts first arrivals of a stream
// that came behind a later one; a repeat of something known is a duplicate and no disorder.
export function account(accepted, journal) {
  const wanted = new Map(accepted.map((event) => [event.id, event]));
  const seen = new Set();
  const last = new Map();
  const sum = {
    sent: wanted.size,
    delivered: 0,
    duplicates: 0,
    lost: 0,
    foreign: 0,
    disordered: 0,
  };
  for (const event of journal) {
    if (!wanted.has(event.id)) {
      sum.foreign++;
    } else if (seen.has(event.id)) {
      sum.duplicates++;
    } else {
      seen.add(event.id);
      sum.delivered++;
      const { stream, n } = event.payload;
      if (n < (last.get(stream) ?? 0)) sum.disordered++;
      else last.set(stream, n);
    }
  }
  sum.lost = sum.sent - sum.delivered;
  return sum;
}

export const print = (sum) =>
  Object.entries(sum)
    .map(([name, n]) => `${name} ${n}`)
    .join(' ');
