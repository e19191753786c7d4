'use strict';
// UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then a counter that keeps the ids of one
// process ascending within a millisecond, then random bits.

const { randomBytes } = require('node:crypto');

const COUNTER_MAX = 0xfff;
let lastMs = 0;
let counter = 0;

function uuid7(now = Date.now()) {
  const bytes = randomBytes(16);
  if (now > lastMs) {
    lastMs = now;
    counter = ((bytes[6] & 0x07) << 8) | bytes[7]; // the top bit stays free for counting up
  } else if (++counter > COUNTER_MAX) {
    lastMs += 1; // more than the counter holds in one millisecond: borrow from the next
    counter = 0;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter & 0xff;
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

module.exports = { uuid7 };
