// The page: who may see it, in which language and theme, and what it shows of the numbers that come.

import { connect } from '/live.js';
import { formatter } from '/format.js';
import { rowList } from '/rows.js';
import { firstLanguage, speaker } from '/texts.js';

const OLD_MS = 10000; // two signs of life missed
const LOST_MS = 60000;
const FRESH_MS = 60000;

const at = (id) => document.getElementById(id);
const page = {
  words: null,
  format: null,
  status: null, // of the server: version, time zone
  metrics: null,
  signAt: 0, // when the server was heard last
  skew: 0, // its clock less ours
};
const rows = rowList({ list: at('rows'), held: at('held'), empty: at('rows-empty') });

/* --- what this browser remembers; nothing of it is needed --- */

function remember(storage, name, value) {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, value);
  } catch {
    // a browser that keeps nothing still shows the page
  }
}

function recall(storage, name) {
  try {
    return storage.getItem(name);
  } catch {
    return null;
  }
}

let token = recall(sessionStorage, 'token');

function keepToken(value) {
  token = value;
  remember(sessionStorage, 'token', value);
}

// A link may bring the token behind '#', which no server and no log ever sees; then it leaves the
// address bar and the history.
function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!given) return;
  keepToken(given);
  history.replaceState(null, '', location.pathname);
}

const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});

/* --- drawing --- */

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function tile(name, value, more) {
  const box = document.createElement('div');
  const label = document.createElement('dt');
  const number = document.createElement('dd');
  const second = document.createElement('dd');
  box.className = `card number number-${name}`;
  label.textContent = page.words.say(name);
  number.className = 'number-value';
  number.append(value);
  second.className = 'second';
  second.textContent = more;
  box.append(label, number, second);
  return box;
}

function moneyNode(text, currency) {
  const node = document.createDocumentFragment();
  for (const { type, value } of page.format.moneyParts(text, currency)) {
    const small = ['currency', 'decimal', 'fraction', 'literal'].includes(type);
    const part = document.createElement(small ? 'small' : 'span');
    part.textContent = value;
    node.append(part);
  }
  return node;
}

function drawNumbers({ users, orders, errors, today }) {
  const { words, format } = page;
  at('numbers').replaceChildren(
    tile('sales', moneyNode(today.orders.revenue, today.orders.currency),
      words.say('salesMore', { n: format.money(orders.revenue, orders.currency) })),
    tile('orders', format.number(today.orders.total), words.count('ordersMore', today.orders.paid)),
    tile('users', format.number(users.active_24h), words.count('usersMore', users.new_today)),
    tile('messages', format.number(today.messages.total),
      words.count('messagesMore', today.messages.received)),
    tile('errors', format.number(today.errors.total),
      words.say('errorsMore', { n: format.number(errors.total) })),
  );
}

function bar(label, text, share, series) {
  const li = document.createElement('li');
  const name = document.createElement('span');
  const number = document.createElement('span');
  const track = document.createElement('span');
  const fill = document.createElement('span');
  name.className = 'bar-name';
  name.textContent = label;
  number.className = 'bar-number';
  number.textContent = text;
  track.className = 'bar-track';
  fill.className = `bar-fill ${series}`;
  fill.style.inlineSize = `${Math.max(share * 100, share > 0 ? 0.8 : 0)}%`;
  track.append(fill);
  li.append(name, number, track);
  return li;
}

function drawTypes({ total, by_type: byType }) {
  const { words, format } = page;
  const all = Object.entries(byType).sort(([, a], [, b]) => b - a);
  const most = all[0]?.[1] ?? 0;
  const name = (type) => (words.has(`type_${type}`) ? words.say(`type_${type}`) : type);
  at('types').replaceChildren(
    ...all.map(([type, n]) => bar(name(type), format.number(n), n / most, 'series-1')));
  at('types-empty').hidden = all.length > 0;
  write(at('types-total'), words.count('typesTotal', total));
}

function drawSent({ sent, delivered, read, failed }) {
  const { words, format } = page;
  const line = (name, n, series) => {
    const values = { n: format.number(n), percent: format.percent(n, sent) };
    const text = name === 'sent' ? values.n : words.say('ofSent', values);
    return bar(words.say(name), text, sent > 0 ? n / sent : 0, series);
  };
  at('sent').replaceChildren(
    line('sent', sent, 'series-2'),
    line('delivered', delivered, 'series-2'),
    line('read', read, 'series-2'),
    line('failed', failed, 'series-err'),
  );
}

/* --- the sentence on top, and how fresh all this is --- */

function verdict(age) {
  const { words, format, metrics, signAt } = page;
  if (!signAt) return { state: 'wait', text: words.say('verdictWait'), more: '' };
  if (age > LOST_MS) {
    return {
      state: 'warn',
      text: words.say('verdictLost'),
      more: words.say('verdictOld', { time: format.clock(signAt) }),
    };
  }
  if (!metrics?.last_event_at) {
    return { state: 'wait', text: words.say('verdictEmpty'), more: words.say('verdictFirst') };
  }
  const last = Date.parse(metrics.last_event_at);
  const since = Date.now() + page.skew - last;
  const values = {
    ago: format.ago(since),
    time: format.clock(last),
    events: words.count('events', metrics.events.total),
  };
  return {
    state: 'ok',
    text: words.say(since < FRESH_MS ? 'verdictOk' : 'verdictQuiet'),
    more: words.say('verdictLast', values),
  };
}

function freshness(age) {
  const { words, format, signAt } = page;
  if (!signAt) return { state: 'wait', text: words.say('liveWait') };
  if (page.lost || age > LOST_MS) return { state: 'lost', text: words.say('liveLost') };
  if (age > OLD_MS) return { state: 'old', text: words.say('liveOld', { time: format.clock(signAt) }) };
  return { state: 'live', text: words.say('live') };
}

function drawVerdict() {
  const age = Date.now() - page.signAt;
  const { state, text, more } = verdict(age);
  const live = freshness(age);
  at('verdict').dataset.state = state;
  write(at('verdict-text'), text);
  write(at('verdict-more'), more);
  at('live').dataset.state = live.state;
  write(at('live-text'), live.text);
  at('board').classList.toggle('stale', page.signAt > 0 && age > LOST_MS);
  document.title = state === 'warn' ? '(!) Esteira' : 'Esteira';
}

function draw() {
  const { words, metrics, status } = page;
  drawVerdict();
  if (status) {
    const zone = status.timezone.replace(/^.*\//, '').replaceAll('_', ' ').replace('Sao', 'São');
    write(at('foot'), words.say('foot', { version: status.version, zone }));
  }
  if (!metrics) return;
  write(at('date'), page.format.day(Date.parse(metrics.at)));
  drawNumbers(metrics);
  drawTypes(metrics.today.events);
  drawSent(metrics.today.messages);
}

/* --- language and theme --- */

function speak(language) {
  page.words = speaker(language);
  page.format = formatter(language, page.status?.timezone);
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-t]')) write(node, page.words.say(node.dataset.t));
  for (const button of at('languages').children) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language));
  }
  at('languages').setAttribute('aria-label', page.words.say('languages'));
  nameTheme();
  rows.speak(page.words, page.format);
  draw();
}

const isDark = () =>
  (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';

function nameTheme() {
  at('theme').setAttribute('aria-label', page.words.say(isDark() ? 'toLight' : 'toDark'));
}

function setUpChoices() {
  const theme = recall(localStorage, 'theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  at('theme').addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    remember(localStorage, 'theme', document.documentElement.dataset.theme);
    nameTheme();
  });
  at('languages').addEventListener('click', ({ target }) => {
    const { language } = target.dataset;
    if (!language) return;
    remember(localStorage, 'language', language);
    speak(language);
  });
}

/* --- coming in --- */

function askForToken(message) {
  at('board').hidden = true;
  at('sign-in').hidden = false;
  at('live').hidden = true;
  write(at('sign-in-error'), message ? page.words.say(message) : '');
  at('token').focus();
}

async function enter() {
  const had = token !== null;
  const answer = await fetch('/api/v1/status', { headers: headers(), cache: 'no-store' }).catch(() => null);
  if (answer?.status === 401) {
    keepToken(null);
    askForToken(had ? 'signInWrong' : null);
    return;
  }
  if (answer?.status === 403) {
    askForToken('foreign');
    return;
  }
  if (!answer?.ok) {
    if (had) askForToken('signInAway');
    else setTimeout(enter, 2000);
    return;
  }
  page.status = await answer.json();
  at('sign-in').hidden = true;
  at('board').hidden = false;
  at('live').hidden = false;
  speak(page.words.language);
  connect({
    headers,
    onSign() {
      page.signAt = Date.now();
      page.lost = false;
    },
    onMetrics(metrics) {
      page.metrics = metrics;
      page.skew = Date.parse(metrics.at) - Date.now();
      draw();
    },
    onRows: (message) => rows.add(message),
    onLost() {
      page.lost = true;
      drawVerdict();
    },
    onRefused() {
      keepToken(null);
      askForToken('signInWrong');
    },
  });
}

at('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(at('token').value.trim());
  at('token').value = '';
  enter();
});

takeTokenFromAddress();
setUpChoices();
speak(firstLanguage(recall(localStorage, 'language'), navigator.languages));
setInterval(drawVerdict, 1000);
enter();
