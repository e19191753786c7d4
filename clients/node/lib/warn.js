'use strict';
// One line on standard error per code and process (a Node warning: silenced by --no-warnings).

const said = new Set();

function warnOnce(code, text) {
  if (said.has(code)) return;
  said.add(code);
  process.emitWarning(text, { type: 'EsteiraWarning', code });
}

module.exports = { warnOnce };
