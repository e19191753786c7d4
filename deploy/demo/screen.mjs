// The terminal: lines that stay, one line at the bottom that is rewritten, single keys. Off-terminal there
// are only lines: no keys, no colours, and the status every ten seconds.

const PLAIN_EVERY_MS = 10_000;
const GREEN = '\x1b[32m';
const AMBER = '\x1b[33m';
const OFF = '\x1b[0m';

const clock = () => new Date().toLocaleTimeString('pt-BR', { hour12: false });

export class Screen {
  constructor(out = process.stdout, input = process.stdin) {
    this.out = out;
    this.input = input;
    this.isTerminal = Boolean(out.isTTY) && process.env.TERM !== 'dumb';
    this.interactive = this.isTerminal && Boolean(input.isTTY);
    this.colours = this.isTerminal && !process.env.NO_COLOR;
    this.utf8 = /utf-?8/i.test(process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '');
    this.saidAt = 0;
  }

  // A bare VPS often has no UTF-8 locale: then the signs are words.
  text(line) {
    if (!this.utf8) return line.replaceAll('✓', 'ok').replaceAll('▲', '!').replaceAll('·', '-');
    if (!this.colours) return line;
    return line.replaceAll('✓', `${GREEN}✓${OFF}`).replaceAll('▲', `${AMBER}▲${OFF}`);
  }

  line(line) {
    this.wipe();
    this.out.write(`${this.text(line)}\n`);
    this.paint();
  }

  timed(line) {
    this.line(`${clock()}  ${line}`);
  }

  // Parts of one step on one line: "Starting  Kafka ✓ 2.6 s  Dashboard ✓ 0.1 s".
  stepper(title) {
    this.out.write(title.padEnd(14));
    return (part) => this.out.write(`${this.text(part)}  `);
  }

  endStep() {
    this.out.write('\n');
  }

  status(line) {
    if (this.isTerminal) {
      this.bottom = `${clock()}  ${line}`;
      this.wipe();
      this.paint();
    } else if (Date.now() - this.saidAt >= PLAIN_EVERY_MS) {
      this.saidAt = Date.now();
      this.timed(line);
    }
  }

  wipe() {
    if (this.bottom !== undefined) this.out.write('\r\x1b[K');
  }

  // Cut to the width, or the terminal would wrap it and the next wipe leave a rest.
  paint() {
    if (this.bottom === undefined) return;
    const width = Math.max(20, (this.out.columns || 80) - 1);
    this.out.write(this.text([...this.bottom].slice(0, width).join('')));
  }

  onKey(press) {
    if (!this.interactive) return;
    this.input.setRawMode(true);
    this.input.resume();
    this.input.setEncoding('utf8');
    this.input.on('data', (keys) => [...keys].forEach((key) => press(key)));
  }

  close() {
    if (this.bottom !== undefined) {
      this.bottom = undefined;
      this.out.write('\n');
    }
    if (!this.interactive) return;
    this.input.setRawMode(false);
    this.input.pause();
  }
}
