'use strict';
// What a call rejects with. No text here ever carries a payload, a token or a header's value.

// The shim was asked, and the events are not accepted. `retryable` says whether the same call may
// succeed later; repeat it with the same ids (`ids`, or only `retryIds` where the shim named them).
class EsteiraError extends Error {
  constructor(code, message, details = {}) {
    const { cause, ...rest } = details;
    super(`${message} [${code}]`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = false;
    Object.assign(this, rest);
  }
}
EsteiraError.prototype.name = 'EsteiraError';

// The call itself is wrong: nothing was sent. `pointer` is the JSON pointer of the culprit in the
// event, `index` its place in a batch.
class EsteiraTypeError extends TypeError {
  constructor(code, message, details = {}) {
    const at = details.index === undefined ? '' : `events[${details.index}]: `;
    super(`${at}${message} [${code}]`);
    this.code = code;
    this.retryable = false;
    Object.defineProperty(this, 'plainText', { value: message });
    Object.assign(this, details);
  }

  // The same fault, in the item of a batch.
  at(index) {
    return new EsteiraTypeError(this.code, this.plainText, { pointer: this.pointer, index });
  }
}

module.exports = { EsteiraError, EsteiraTypeError };
