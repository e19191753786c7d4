// The corpus as one list: {name, bytes | request, status, code, pointer, index}. What no client
// library would send stands in http_cases.mjs and is written straight to the socket.

import * as batches from './batch_cases.mjs';
import * as ce from './cloudevents_cases.mjs';
import * as envelope from './envelope_cases.mjs';
import * as json from './json_cases.mjs';
import * as payloads from './payload_cases.mjs';
import * as http from './http_cases.mjs';

const list = (v) => (Array.isArray(v) ? v : [v]);
const text = (v) => (typeof v === 'string' || Buffer.isBuffer(v) ? v : JSON.stringify(v));

const made = (group, name, type, body, wanted, headers = {}) => ({
  name: `${group}: ${name}`,
  request: { headers: { ...(type ? { 'content-type': type } : {}), ...headers }, body: text(body) },
  status: [400],
  ...wanted,
});

function* bodies() {
  for (const group of Object.keys(json)) {
    for (const [name, body, code, pointer] of json[group]) yield made(group, name, 'application/json', body, { code, pointer });
  }
  for (const group of Object.keys(envelope)) {
    for (const [name, doc, pointer] of envelope[group]) {
      yield made(group, name, 'application/json', JSON.stringify(doc), { code: 'E-EVENT-SHAPE', pointer });
    }
  }
  for (const group of Object.keys(payloads)) {
    for (const [name, doc, pointer, code = 'E-EVENT-PAYLOAD'] of payloads[group]) {
      yield made(group, name, 'application/json', doc, { code, pointer });
    }
  }
  for (const group of Object.keys(batches)) {
    for (const { name, type, body, headers, status, ...wanted } of batches[group]) {
      yield made(group, name, type, body, { ...wanted, status: [status] }, headers);
    }
  }
}

function* cloudEvents() {
  const shape = 'E-EVENT-SHAPE';
  for (const [name, doc, pointer] of ce.structured) {
    yield made('CloudEvents', name, 'application/cloudevents+json', JSON.stringify(doc), { code: shape, pointer });
  }
  for (const [name, doc, pointer, index] of ce.batch) {
    yield made('CloudEvents batch', name, 'application/cloudevents-batch+json', JSON.stringify(doc), { code: shape, pointer, index });
  }
  for (const [name, headers, body, pointer, code] of ce.binary) {
    yield made('CloudEvents binary', name, undefined, body, { code, pointer }, headers);
  }
}

function* raw(groups) {
  for (const group of groups) {
    for (const [name, bytes, status] of http[group]) yield { name: `${group}: ${name}`, bytes, status: list(status) };
  }
}

export const REQUESTS = [...bodies(), ...cloudEvents()];
export const RAW = [...raw(['framing', 'fields', 'requestLines', 'routes'])];
export const SLOW = [...raw(['slow'])];
export const TORN = http.torn.map(([name, bytes]) => ({ name: `torn: ${name}`, bytes }));
