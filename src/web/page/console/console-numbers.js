/** Live numbers of the process that answers, drawn from the differences between its answers. */
import { Refusal } from './console-api.js';
import { element, paragraph } from './console-elements.js';
import { dayBoard } from './console-history.js';
import { call } from './console-login.js';
import { duration } from './console-moment.js';
import { plot } from './console-plot.js';
import { ratesOf, sum } from './console-rates.js';
import { sentenceOf } from './console-trouble.js';

const EVERY_MS = 2_000;
/** Two minutes. */
const KEPT = 60;

const REASONS = {
  malformed: 'not a token at all',
  forged: 'not made by this authority',
  expired: 'over its time',
  unknown: 'not in the database',
  revoked: 'taken back',
  grant_revoked: 'its login, key or client was ended',
  grant_expired: 'its login or key is over its time',
  wrong_kind: 'a token for something else',
  wrong_audience: 'meant for another API',
};

export function openNumbers({ body, left }) {
  const trouble = element('p', { class: 'alert', role: 'alert' });
  const about = paragraph('Waiting for the first answer …', 'small');
  const board = element('div', { class: 'board' });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'What happens right now, asked for every two seconds while you look. This page’s own questions carry a token, and so are among the validated.',
      ),
    ),
    trouble,
    board,
    about,
    dayBoard(left),
  );
  const series = new Map();
  void poll(left, {
    heard(numbers) {
      trouble.textContent = '';
      const own = note(series, numbers);
      board.replaceChildren(...drawBoard(numbers, own.rates));
      about.textContent = `These are the numbers of one process, ${numbers.instance.slice(0, 8)}, for ${duration(numbers.uptime)} up. ${othersOf(series)}`;
    },
    failed: (refusal) => (trouble.textContent = sentenceOf(refusal)),
  });
}

async function poll(left, { heard, failed }) {
  while (!left.aborted) {
    let pause = EVERY_MS;
    if (document.visibilityState === 'visible')
      try {
        heard(await call('GET', 'admin/numbers', undefined, left));
      } catch (refusal) {
        if (!(refusal instanceof Refusal)) throw refusal;
        if (left.aborted) return;
        failed(refusal);
        pause = Math.max(pause, (refusal.retryAfter ?? 0) * 1_000);
      }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      left.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

/** Behind a balancer answers may come from several; each is compared with itself. */
function note(series, numbers) {
  const own = series.get(numbers.instance) ?? { last: undefined, rates: [] };
  if (own.last) own.rates = [...own.rates, ratesOf(own.last, numbers)].slice(-KEPT);
  own.last = numbers;
  series.set(numbers.instance, own);
  return own;
}

function othersOf(series) {
  if (series.size === 1)
    return 'Where several share the work, as instances or with WORKERS, the others count for themselves.';
  return `${series.size} processes have answered so far, and each counts for itself: what is drawn is that of the last one.`;
}

function drawBoard(numbers, rates) {
  const values = (name) => rates.map((one) => one[name]);
  return [
    card('Issued', values('issued'), perSecond, `${whole(sum(numbers.issued))} since the start`),
    card('Validated', values('validated'), perSecond, `${whole(numbers.validated)} since the start`),
    card('Refused', values('refused'), perSecond, `${whole(sum(numbers.refused))} since the start`, 'bad'),
    card('99 of 100 answers within', values('p99'), milliseconds, 'p99 of all routes, an estimate'),
    drawReasons(numbers, rates),
    drawTotals(numbers),
  ];
}

function card(title, values, format, remark, kind = '') {
  const now = values.at(-1);
  const figure = now === undefined ? '–' : format(now);
  const known = values.filter((value) => value !== undefined);
  const peak =
    known.length > 0 ? `at most ${format(Math.max(...known))} in the last two minutes` : 'nothing yet';
  return element(
    'section',
    { class: `number ${kind}`.trim() },
    element('h2', {}, title),
    element('p', { class: 'figure' }, figure),
    plot(values, KEPT, `${title}: ${figure} now, ${peak}`),
    paragraph(remark, 'small'),
  );
}

function drawReasons({ refused }, rates) {
  const seen = Object.entries(refused).filter(([, count]) => count > 0);
  const rows = seen.map(([reason, count]) => {
    const text = REASONS[reason] ?? '';
    return element(
      'li',
      {},
      element('span', {}, element('code', {}, reason), ` ${text}`),
      plot(
        rates.map((one) => one.reasons[reason]),
        KEPT,
        `${reason}: ${whole(count)} since the start`,
      ),
      element('span', { class: 'count' }, whole(count)),
    );
  });
  return element(
    'section',
    { class: 'number wide bad' },
    element('h2', {}, 'Refused, by reason'),
    seen.length > 0
      ? element('ul', { class: 'reasons' }, ...rows)
      : paragraph('No token has been refused since the start.', 'small'),
  );
}

function drawTotals({ issued, revoked, logins_refused: logins, unanswered }) {
  const facts = [
    ['Logins', issued.login],
    ['Refreshed', issued.refresh],
    ['Clients', issued.client],
    ['API keys', issued.api_key],
    ['Tokens revoked', revoked.access_token],
    ['Grants ended', revoked.grant],
    ['Wrong passwords', logins.credentials],
    ['Throttled logins', logins.throttled],
    ['Left without a verdict', unanswered],
  ];
  return element(
    'section',
    { class: 'number wide' },
    element('h2', {}, 'Since the start'),
    element(
      'dl',
      { class: 'totals' },
      ...facts.map(([name, count]) =>
        element('div', {}, element('dt', {}, name), element('dd', {}, whole(count))),
      ),
    ),
  );
}

const COUNT = new Intl.NumberFormat('en');

function whole(count) {
  return COUNT.format(count);
}

function perSecond(rate) {
  return `${rate >= 100 ? whole(Math.round(rate)) : rate.toFixed(1)}/s`;
}

function milliseconds(seconds) {
  const ms = seconds * 1_000;
  return `${ms >= 100 ? whole(Math.round(ms)) : ms.toFixed(1)} ms`;
}
