/** Plays the story: whole, in steps, and from the beginning. */
import { answerLines, Interruption, requestLines, send } from './story-exchange.js';
import { TELLINGS } from './story-scenes.js';
import { problemOf } from './story-trouble.js';
import * as view from './story-view.js';

const DEMO = { user: 'CookieDestroyer', password: 'U+1F36A' };
const BETWEEN_MESSAGES_MS = 900;
const BETWEEN_SCENES_MS = 2_200;

/** What a story that was left in the middle ends in. */
class Left extends Error {}

/** In memory only: neither the address nor any storage ever has them. */
let credentials = DEMO;
let story = begin('opaque');

function begin(telling) {
  const scenes = TELLINGS[telling];
  const one = { telling, scenes, at: 0, busy: false, playing: false, left: false, stage: undefined };
  one.stage = stageOf(one);
  view.prepare(scenes);
  view.mark(-1);
  view.trouble(undefined);
  return one;
}

/** What scenes work with. Everything on it ends in `Left` once the story has been left. */
function stageOf(one) {
  const show = async (message) => {
    if (one.left) throw new Left();
    view.add(one.at, message);
    view.say(message.sentence);
    await wait(BETWEEN_MESSAGES_MS);
    if (one.left) throw new Left();
  };
  return {
    credentials,
    token: undefined,
    revoked: false,
    note: (note) => show({ ...note, kind: 'note' }),
    async exchange(request) {
      const { from, to, method, path, asks, tells, inside = [], expect, fresh } = request;
      const answered = send(request).then((answer) => {
        if (!fresh || answer?.status !== expect) return answer;
        if (one.left) takeBack(fresh(answer));
        else one.stage.token = fresh(answer);
        return answer;
      });
      const label = request.label ?? `${method} /${path}`;
      await show({ from, to, kind: 'request', label, sentence: asks, lines: requestLines(request, hidden) });
      const answer = await answered;
      const asExpected = answer?.status === expect;
      if (asExpected) for (const call of callsOf(inside)) await show(call);
      await show({
        from: to,
        to: from,
        kind: answer && answer.status < 400 ? 'answer' : 'answer refusal',
        label: answer ? String(answer.status) : 'no answer',
        sentence: asExpected ? sentenceOf(tells, answer) : 'This is not the answer that the story expects.',
        lines: answerLines(answer, asExpected ? fresh?.(answer) : undefined),
      });
      if (!asExpected) throw new Interruption(answer);
      return answer;
    },
  };
}

/** What the guard and the authority say to each other is a call within the server's process. */
function callsOf([question, verdict]) {
  if (!question) return [];
  const call = ([label, sentence], from, to) => {
    return { from, to, kind: 'inside', label, sentence, lines: [] };
  };
  return [call(question, 'api', 'authority'), call(verdict, 'authority', 'api')];
}

function sentenceOf(tells, answer) {
  return typeof tells === 'string' ? tells : tells(answer);
}

/** The demo user's password is in the README; anybody else's is nobody's business on a screen. */
function hidden(password) {
  return password === DEMO.password ? password : '•'.repeat(8);
}

/** One scene, and the next ones for as long as somebody lets it play. */
async function run(one) {
  if (one.busy) return;
  one.busy = true;
  do {
    refresh();
    await playScene(one);
    if (one.playing) await Promise.race([wait(BETWEEN_SCENES_MS), new Promise((wake) => (one.wake = wake))]);
  } while (one.playing && !one.left);
  one.busy = false;
  if (!one.left) refresh();
}

async function playScene(one) {
  const scene = one.scenes[one.at];
  one.stage.credentials = credentials;
  view.trouble(undefined);
  view.empty(one.at);
  view.mark(one.at);
  try {
    await scene.play(one.stage);
    await scene.after?.(one.stage);
    one.at += 1;
    if (isOver(one)) one.playing = false;
    view.mark(one.at - 1, isOver(one));
  } catch (error) {
    one.playing = false;
    if (error instanceof Left) return;
    if (!(error instanceof Interruption)) throw error;
    const problem = problemOf(error.answer);
    view.trouble(problem, one.at);
    view.say(`${problem.title} ${problem.text}`);
  }
}

function play() {
  if (isOver(story)) restart();
  story.playing = !story.playing;
  story.wake?.();
  refresh();
  void run(story);
}

function step() {
  if (!story.busy && !isOver(story)) void run(story);
}

function restart(telling = story.telling) {
  const { token, revoked } = story.stage;
  story.left = true;
  story.playing = false;
  story.wake?.();
  const open = token !== undefined && !revoked;
  if (open) takeBack(token);
  story = begin(telling);
  view.say(open ? 'Back to the beginning. The open token was revoked.' : BEGINNING);
  refresh();
}

/** An hour is long for a token that nobody holds any more. */
function takeBack(token) {
  void send({ method: 'POST', path: 'revoke', body: { token } });
}

const BEGINNING = 'Play the story, or go through it step by step.';

function refresh() {
  view.buttons({
    play: story.playing ? 'Pause' : isOver(story) ? 'Play again' : 'Play',
    step: !story.busy && !isOver(story),
    restart: story.at > 0 || story.busy,
  });
}

function isOver({ at, scenes }) {
  return at >= scenes.length;
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function listen() {
  document.getElementById('play').addEventListener('click', play);
  document.getElementById('step').addEventListener('click', step);
  document.getElementById('restart').addEventListener('click', () => restart());
  for (const radio of document.querySelectorAll('input[name="telling"]')) {
    radio.checked = radio.value === story.telling;
    radio.addEventListener('change', () => restart(radio.value));
  }
  const form = document.getElementById('login');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { user, password } = form.elements;
    credentials = { user: user.value, password: password.value };
    form.reset();
    if (story.stage.token !== undefined) restart();
    document.getElementById('play').focus();
    play();
  });
}

listen();
view.say(BEGINNING);
refresh();
