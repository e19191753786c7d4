// Waiting for a condition with a deadline: tests never sleep for a guessed time.

// Sanitizer builds and busy machines get more time by ESTEIRA_TEST_SLOW=3.
const SLOW = Number(process.env.ESTEIRA_TEST_SLOW || 1);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks `condition` until it gives something true and returns that. `what` may be a function that
// tells, at the end, how far things got.
export async function waitFor(what, condition, { within = 10_000, every = 20 } = {}) {
  const end = performance.now() + within * SLOW;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) {
      throw new Error(
        `not within ${within * SLOW} ms: ${typeof what === 'function' ? what() : what}`,
      );
    }
    await pause(every);
  }
}

// The promise's outcome, or an error when it takes too long.
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms * SLOW} ms: ${what}`)), ms * SLOW);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
