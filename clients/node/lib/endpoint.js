'use strict';
// Which shim to talk to. Read from the environment at each call, so that a .env file loaded after
// require() counts.
//
//   ESTEIRA_URL     http://127.0.0.1:3002, https://entrada.example/base, unix:/run/esteira/shim.sock
//   ESTEIRA_SOCKET  path of a Unix socket
//   neither         the packaged socket where it exists, else http://127.0.0.1:3002
//   ESTEIRA_TOKEN   bearer token of the shim
//
// DASHBOARD_URL and DASHBOARD_TOKEN are the old service's names for the dashboard itself. They are
// never used here: an event that went there directly would miss the belt and its promise.

const fs = require('node:fs');
const { EsteiraError } = require('./errors');
const { warnOnce } = require('./warn');

const DEFAULT_URL = 'http://127.0.0.1:3002';
const DEFAULT_SOCKET = '/run/esteira/producer.sock';

function atSocket(socketPath, name) {
  if (!socketPath.startsWith('/'))
    throw new EsteiraError('E-CONFIG', `${name} must name a socket by its full path`);
  return { secure: false, socketPath, host: 'localhost', base: '', label: `unix:${socketPath}` };
}

function atUrl(text) {
  if (text.startsWith('unix:'))
    return atSocket(text.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''), 'ESTEIRA_URL');
  const url = parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new EsteiraError('E-CONFIG', 'ESTEIRA_URL must be http://…, https://… or unix:/path');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new EsteiraError(
      'E-CONFIG',
      'ESTEIRA_URL must have no user, query or fragment; the token goes in ESTEIRA_TOKEN',
    );
  }
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const base = url.pathname.replace(/\/+$/, '');
  return {
    secure,
    host,
    port: Number(url.port || (secure ? 443 : 80)),
    base,
    label: url.origin + base,
  };
}

function parse(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function isSocket(path) {
  return fs.statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

// {secure, host, port, socketPath, base, label, token, hint}; `hint` explains an old .env in errors.
function endpoint(env = process.env) {
  const told = env.ESTEIRA_URL || env.ESTEIRA_SOCKET;
  const legacy = Boolean(env.DASHBOARD_URL) && !told;
  let where;
  if (env.ESTEIRA_URL) where = atUrl(env.ESTEIRA_URL);
  else if (env.ESTEIRA_SOCKET) where = atSocket(env.ESTEIRA_SOCKET, 'ESTEIRA_SOCKET');
  else where = isSocket(DEFAULT_SOCKET) ? atSocket(DEFAULT_SOCKET) : atUrl(DEFAULT_URL);
  const hint = legacy
    ? `; DASHBOARD_URL is set but not used by this client: set ESTEIRA_URL to the Esteira shim (now ${where.label})`
    : '';
  if (legacy) {
    warnOnce(
      'ESTEIRA_DASHBOARD_URL',
      'DASHBOARD_URL names the dashboard and is ignored for sending: events go ' +
        `through the Esteira shim at ${where.label}; set ESTEIRA_URL to choose another`,
    );
  }
  return { ...where, token: env.ESTEIRA_TOKEN || '', hint };
}

module.exports = { endpoint };
