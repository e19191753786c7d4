// One experiment as one line of JSON.

const KEYS = [
  'experiment',
  'seed',
  'faults',
  'sent',
  'accepted',
  'refused',
  'unknown',
  'delivered',
  'duplicates',
  'dlq',
  'inversions',
  'missing',
  'lost',
  'recovery_s_max',
  'pass',
];

// Limits of time, on machines and in builds that are slow (tests/support/wait.mjs).
export const PATIENCE = Number(process.env.ESTEIRA_TEST_SLOW || 1);

export const round = (x, digits = 2) => (Number.isFinite(x) ? Number(x.toFixed(digits)) : null);

// The figures of several loads as if they were one.
export function together(ends) {
  const sum = (name) => ends.reduce((all, end) => all + end[name], 0);
  const max = (name) => Math.max(...ends.map((end) => end[name]));
  return {
    sent: sum('sent'),
    accepted: sum('accepted'),
    refused: sum('refused'),
    unknown: sum('unknown'),
    buffered: sum('buffered'),
    repeats: sum('repeats'),
    p99_ms: max('p99_ms'),
    p99_worst_ms: max('p99_worst_ms'),
    max_ms: max('max_ms'),
  };
}

// figures: whatever was measured; it must hold the common keys. claims: {what: true or false}; the
// experiment passes when all hold, and those that do not are named.
export function verdict(figures, claims) {
  const failed = Object.entries(claims)
    .filter(([, holds]) => !holds)
    .map(([what]) => what);
  const all = { ...figures, pass: failed.length === 0 };
  const line = Object.fromEntries(
    KEYS.map((key) => [key, all[key] ?? (key === 'seed' ? null : 0)]),
  );
  for (const [key, value] of Object.entries(all)) if (!(key in line)) line[key] = value;
  if (failed.length > 0) line.failed = failed;
  return line;
}

// What holds for every experiment. inversions: as the experiment counts them.
export const promises = ({ lost, dlq, inversions, foreign = 0, disagreeing }) => ({
  'nothing lost': lost === 0,
  'no dead letters': dlq === 0,
  'order kept': inversions === 0,
  'no event that nobody sent': foreign === 0,
  ...(disagreeing !== undefined && {
    'no value says another chain than its header': disagreeing === 0,
  }),
});
