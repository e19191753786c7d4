// What the demo says, in both languages; the keys are the same (texts.test.mjs compares them).

const pt = {
  head: (version) =>
    `Esteira ${version} · demonstração nesta máquina · nada sai dela, e ./run clean apaga tudo`,
  starting: 'Iniciando',
  sending: 'Enviando',
  parts: {
    kafka: 'Kafka',
    redis: 'Reserva (Redis)',
    dashboard: 'Painel',
    shim: 'Entrada',
    consumer1: 'Entrega 1',
    consumer2: 'Entrega 2',
  },
  seconds: (s) => `${s} s`,
  samples: (n) => `${n} eventos de exemplo, com acento e emoji 👋`,
  sampled: (delivered, lost) => `${delivered} entregues, ${lost} perdidos`,
  alreadyRuns: 'A demonstração já está rodando nesta pasta:',
  leftOver: (n) => `Parei ${n} processo(s) que uma demonstração interrompida deixou.`,
  next: ({ page, ssh, curl }) => [
    '',
    `  Abra o painel    ${page}`,
    ...(ssh
      ? [
          '  Você está em uma VPS? No SEU computador rode antes:',
          `                   ${ssh}`,
          '  Sem Linux no seu computador: o mesmo comando funciona no PowerShell.',
        ]
      : []),
    `  Ligue seu bot    ${curl}`,
  ],
  keys: [
    '',
    '  Experimente quebrar (aperte a tecla):',
    '   1  parar o Kafka         os eventos ficam guardados na reserva; aperte de novo para voltar',
    '   2  parar o painel        a entrega espera; nada vai para a DLQ; aperte de novo para voltar',
    '   3  matar uma entrega     a outra assume; ela volta sozinha em 10 s',
    '   4  mandar um pedido com defeito   só ele vai para a DLQ',
    '   5  enviar 10.000 eventos de uma vez',
    '   s  situação    l  registros    q  sair (para tudo o que foi iniciado aqui)',
    '',
  ],
  sum: (a, d, q, w) => `${a} aceitos = ${d} entregues + ${q} na DLQ + ${w} a caminho`,
  uncounted: (a) => `${a} aceitos; o painel está parado e conta de novo quando voltar`,
  repeating: (n) => `; ${n} ainda não aceitos, quem enviou repete`,
  kafkaStopping: 'Parando o Kafka…',
  kafkaAway: (s, n) =>
    `Kafka parado há ${s} s: ${n} guardados na reserva. Nenhum evento perdido.`,
  kafkaStarting: 'Ligando o Kafka…',
  kafkaBack: (n, s) => `O Kafka voltou: ${n} da reserva entregues ao Kafka em ordem em ${s} s.`,
  drains: (n) => `O Kafka voltou: a reserva ainda entrega, faltam ${n}.`,
  dashboardStopped: 'Painel parado: a entrega espera e nada vai para a DLQ. Aperte 2 de novo.',
  dashboardAway: (s, a) => `Painel parado há ${s} s: ${a} aceitos, a entrega espera. Nenhum se perdeu.`,
  dashboardBack: 'O painel voltou: entregando o que esperou.',
  consumerKilled: (n) => `Entrega ${n} morta (SIGKILL). A outra assume em até 6 s.`,
  consumerBack: (n) => `Entrega ${n} voltou e recebe a sua parte.`,
  consumerBusy: 'A entrega que morreu ainda está voltando.',
  faultySent: (id) =>
    `Pedido ${id} aceito, com a data de 1969: o painel vai recusar só ele (DLQ: dlq.dashboard.esteira.order).`,
  burst: (n) => `Enviando ${n} eventos em lotes de 500…`,
  burstDone: (n, s) => `${n} aceitos em ${s} s.`,
  busy: 'Ainda estou fazendo o que você pediu antes.',
  partState: (name, state, where) => `  ${name.padEnd(12)} ${state.padEnd(8)} ${where}`,
  running: 'rodando',
  stopped: 'parado',
  logsIn: (dir) => `Registros completos em ${dir}`,
  stopping: 'Parando…',
  farewell: (a, d, q, lost) =>
    `Parei tudo. Aceitos ${a}, entregues ${d}, na DLQ ${q}, perdidos ${lost}.`,
  farewellWaiting: (w) => `${w} ainda a caminho: estão no Kafka ou na reserva e serão entregues na próxima vez.`,
  kept: 'Os dados ficam em .demo/ (./run demo continua, ./run clean apaga).',
  failed: (part, log) => `${part} não iniciou. As últimas linhas de ${log}:`,
  goOn: 'Para tentar do zero: ./run clean && ./run demo',
  onceFailed: (dir) => `Os registros desta rodada ficam em ${dir}`,
};

const en = {
  head: (version) =>
    `Esteira ${version} · demo on this machine · nothing leaves it, ./run clean removes it all`,
  starting: 'Starting',
  sending: 'Sending',
  parts: {
    kafka: 'Kafka',
    redis: 'Reserve (Redis)',
    dashboard: 'Dashboard',
    shim: 'Intake',
    consumer1: 'Deliverer 1',
    consumer2: 'Deliverer 2',
  },
  seconds: (s) => `${s} s`,
  samples: (n) => `${n} sample events, with accents and emoji 👋`,
  sampled: (delivered, lost) => `${delivered} delivered, ${lost} lost`,
  alreadyRuns: 'The demo already runs in this folder:',
  leftOver: (n) => `Stopped ${n} process(es) that an interrupted demo had left.`,
  next: ({ page, ssh, curl }) => [
    '',
    `  Open the dashboard  ${page}`,
    ...(ssh
      ? [
          '  On a VPS? On YOUR computer first:',
          `                      ${ssh}`,
          '  No Linux on your computer: the same command works in PowerShell.',
        ]
      : []),
    `  Connect your bot    ${curl}`,
  ],
  keys: [
    '',
    '  Try to break it (press a key):',
    '   1  stop Kafka            events are kept in the reserve; press again to bring it back',
    '   2  stop the dashboard    delivery waits; nothing goes to the DLQ; press again to bring it back',
    '   3  kill a deliverer      the other one takes over; it comes back by itself in 10 s',
    '   4  send a faulty order   only that one goes to the DLQ',
    '   5  send 10,000 events at once',
    '   s  status    l  logs    q  quit (stops only what it started)',
    '',
  ],
  sum: (a, d, q, w) => `${a} accepted = ${d} delivered + ${q} in DLQ + ${w} on the way`,
  uncounted: (a) => `${a} accepted; the dashboard is stopped and will count again when it is back`,
  repeating: (n) => `; ${n} not accepted yet, the sender repeats them`,
  kafkaStopping: 'Stopping Kafka…',
  kafkaAway: (s, n) =>
    `Kafka stopped for ${s} s: ${n} kept in the reserve. No event lost.`,
  kafkaStarting: 'Starting Kafka…',
  kafkaBack: (n, s) => `Kafka is back: ${n} of the reserve handed over in order in ${s} s.`,
  drains: (n) => `Kafka is back: the reserve still hands over, ${n} to go.`,
  dashboardStopped: 'Dashboard stopped: delivery waits and nothing goes to the DLQ. Press 2 again.',
  dashboardAway: (s, a) => `Dashboard stopped for ${s} s: ${a} accepted, delivery waits. None is lost.`,
  dashboardBack: 'The dashboard is back: delivering what has waited.',
  consumerKilled: (n) => `Deliverer ${n} killed (SIGKILL). The other takes over within 6 s.`,
  consumerBack: (n) => `Deliverer ${n} is back and takes its share.`,
  consumerBusy: 'The killed deliverer is still on its way back.',
  faultySent: (id) =>
    `Order ${id} accepted, dated 1969: the dashboard will refuse only this one (DLQ: dlq.dashboard.esteira.order).`,
  burst: (n) => `Sending ${n} events in batches of 500…`,
  burstDone: (n, s) => `${n} accepted in ${s} s.`,
  busy: 'Still busy with what you asked before.',
  partState: (name, state, where) => `  ${name.padEnd(12)} ${state.padEnd(8)} ${where}`,
  running: 'running',
  stopped: 'stopped',
  logsIn: (dir) => `Full logs in ${dir}`,
  stopping: 'Stopping…',
  farewell: (a, d, q, lost) =>
    `Stopped everything. Accepted ${a}, delivered ${d}, in DLQ ${q}, lost ${lost}.`,
  farewellWaiting: (w) => `${w} still on the way: they are in Kafka or in the reserve and will be delivered next time.`,
  kept: 'The data stays in .demo/ (./run demo goes on with it, ./run clean removes it).',
  failed: (part, log) => `${part} did not start. The last lines of ${log}:`,
  goOn: 'To try from scratch: ./run clean && ./run demo',
  onceFailed: (dir) => `The logs of this run stay in ${dir}`,
};

export const TEXTS = { pt, en };

const BRAZIL =
  /^America\/(Sao_Paulo|Bahia|Fortaleza|Recife|Manaus|Belem|Cuiaba|Campo_Grande|Maceio|Araguaina|Santarem|Porto_Velho|Boa_Vista|Rio_Branco|Eirunepe|Noronha)$/;

// ESTEIRA_LANG, else the locale, else the time zone, else English. "C" and "POSIX" say nothing.
export function language(env, zone) {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || '';
  const said = env.ESTEIRA_LANG || (/^(C|POSIX)(\.|$)/.test(locale) ? '' : locale);
  if (said) return said.toLowerCase().startsWith('pt') ? 'pt' : 'en';
  return BRAZIL.test(zone) ? 'pt' : 'en';
}

export const numberFormat = (lang) => new Intl.NumberFormat(lang === 'pt' ? 'pt-BR' : 'en');
