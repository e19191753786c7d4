// The list "events now". A row that somebody points at or reads must not move away: while the pointer
// or the focus is inside, new rows wait, and a line says how many.

const SHOWN = 20;
const SVG = 'http://www.w3.org/2000/svg';

const icons = {
  message: 'M4 5.5h12v8.2H9.2L6 16.4v-2.7H4Z',
  message_status: 'm2.8 10.6 3 3 6-6.6m-2.6 6 .6.6 6.4-6.8',
  order: 'M3.5 4.5h2l1.8 8h7.4l1.6-5.8H6.2M8.4 16v.1m5.4-.1v.1',
  payment: 'M3 5.5h14v9H3Zm0 3h14M5.6 12h3',
  user: 'M10 9.6a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-5.6 7c.6-3.2 2.8-4.6 5.6-4.6s5 1.4 5.6 4.6',
  session: 'M6 3.5h8v13H6Zm3 10.6h2',
  interaction: 'M4 6h12v5H4Zm5 3.5 1.8 7 1.5-2.6 3 .1Z',
  bot_error: 'M10 3.5 2.8 16.2h14.4Zm0 4.7v3.6m0 2.2v.1',
  custom: 'M10 4.2v11.6M4.2 10h11.6',
};

function icon(type) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', icons[type] ?? icons.custom);
  svg.append(path);
  return svg;
}

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** "pedido 8841 · R$ 2.399,00": what the server tells of an event, all of it masked there. */
export function detailText(row, words, format) {
  const { detail } = row;
  const parts = [];
  if (detail.order) parts.push(words.say('detailOrder', { id: detail.order }));
  if (detail.total) parts.push(format.money(detail.total, detail.currency));
  if (detail.contact) parts.push(words.say('detailContact', { digits: detail.contact }));
  if (detail.status) {
    const name = `status_${detail.status.toLowerCase()}`;
    const status = words.has(name) ? words.say(name) : detail.status;
    if (!eventText(row, words).includes(status)) parts.push(status); // "Pedido pago" says it
  }
  if (detail.code) parts.push(detail.code);
  return parts.join(' · ');
}

/** The plain name of an event, or its own when it is none of ours. */
export function eventText(row, words) {
  const name = `event_${row.event.replaceAll('.', '_')}`;
  return words.has(name) ? words.say(name) : row.event;
}

export function rowList({ list, held, empty }) {
  let rows = []; // newest first; {seq, …} or {more, seq}
  let waiting = null; // what came while somebody reads, as one message
  let words;
  let format;

  const isRead = () => list.matches(':hover') || list.matches(':focus-within, :focus-visible');

  function item(row) {
    const li = element('li', 'row');
    if (row.more) {
      li.classList.add('row-more');
      li.append(element('span', '', words.count('more', row.more)));
      return li;
    }
    const mark = element('span', 'row-icon');
    const text = element('span', 'row-text');
    const time = element('time', 'row-time', format.clock(Date.parse(row.at)));
    mark.dataset.type = row.type;
    mark.append(icon(row.type));
    text.append(element('span', 'row-name', eventText(row, words)), element('span', 'row-detail', detailText(row, words, format)));
    time.dateTime = row.at;
    time.title = format.exact(Date.parse(row.at));
    li.append(mark, text, time);
    return li;
  }

  function draw(fresh = 0) {
    list.replaceChildren(...rows.map(item));
    for (let i = 0; i < fresh; i++) list.children[i]?.classList.add('fresh');
    empty.hidden = rows.length > 0;
    list.hidden = rows.length === 0;
  }

  function take({ rows: come, more, reset }) {
    const newest = reset ? 0 : Math.max(0, ...rows.map((row) => row.seq));
    const fresh = come.filter((row) => row.seq > newest);
    if (more > 0 && fresh.length > 0) fresh.push({ more, seq: fresh.at(-1).seq - 1 });
    rows = [...fresh, ...(reset ? [] : rows)].slice(0, SHOWN);
    return reset ? 0 : fresh.length;
  }

  function wait(message) {
    const all = [...message.rows, ...(waiting?.rows ?? [])];
    const more = message.more + (waiting?.more ?? 0) + Math.max(0, all.length - SHOWN);
    waiting = { rows: all.slice(0, SHOWN), more };
    held.textContent = words.count('held', waiting.rows.length + more);
    held.hidden = false;
  }

  function show(message) {
    waiting = null;
    held.hidden = true;
    draw(take(message));
  }

  const release = () => waiting && !isRead() && show(waiting);

  for (const event of ['pointerleave', 'focusout']) list.addEventListener(event, () => setTimeout(release, 50));

  return {
    speak(newWords, newFormat) {
      words = newWords;
      format = newFormat;
      if (waiting) show(waiting);
      else draw();
    },
    add(message) {
      if (message.rows.length === 0 && !message.reset) return;
      if (isRead() && rows.length > 0 && !message.reset) wait(message);
      else show(message);
    },
  };
}
