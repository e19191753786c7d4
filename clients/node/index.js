'use strict';
// The four functions of the dashboard integration that bots already call, over the Esteira shim.

const { EsteiraError, EsteiraTypeError } = require('./lib/errors');
const { buildEvent, buildItem } = require('./lib/event');
const { callOptions } = require('./lib/options');
const { getJson } = require('./lib/read');
const { sendAll, sendOne } = require('./lib/send');

async function sendEventToDashboard(event, payload, options) {
  const opts = callOptions(options);
  return sendOne(buildEvent(event, payload, opts), opts);
}

async function sendBatchEvents(events, options) {
  const opts = callOptions(options);
  if (!Array.isArray(events)) {
    throw new EsteiraTypeError('E-EVENT-SHAPE', 'events must be an array of {event, payload}');
  }
  // Every item is checked before the first one is sent.
  return sendAll(
    events.map((item, index) => buildItem(item, index)),
    opts,
  );
}

async function getDashboardStatus() {
  return getJson('/v1/dashboard/status');
}

async function getDashboardMetrics() {
  return getJson('/v1/dashboard/metrics');
}

module.exports = {
  sendEventToDashboard,
  sendBatchEvents,
  getDashboardStatus,
  getDashboardMetrics,
  EsteiraError,
};
