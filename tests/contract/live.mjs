// A page's side of GET /live.

import http from 'node:http';

// Collects the messages: {messages: [{event, id, data}], close(), closed (promise)}.
export function follow(d, headers = {}) {
  const messages = [];
  let request;
  const closed = new Promise((resolve, reject) => {
    request = http.get(`${d.base}/live`, { headers }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        text += chunk;
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
          const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(text.slice(0, end))?.[1];
          if (!field('event')) continue;
          messages.push({ event: field('event'), id: field('id'), data: JSON.parse(field('data')) });
        }
      });
      res.on('end', () => resolve(res.statusCode));
      res.on('error', () => resolve(0));
    });
    request.on('error', reject);
  });
  closed.catch(() => {});
  return { messages, closed, close: () => request.destroy() };
}
