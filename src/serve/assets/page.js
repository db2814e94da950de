// Keeps the page up to date, and submits its forms without leaving it.
import { chart, earlier } from './chart.js';
import { ROOT, age, follow, historyLine, list, moment, operate, optional, part, readyCount, say, show, showAsOf, speaker, text } from './common.js';

const byId = (id) => document.getElementById(id);
const dialog = byId('dialog');
const speak = speaker(byId('spoken'));

/** The last received state. */
let state = null;
/** The time of the server's last message, while there is no connection. */
let lostAt = null;
/** The latest change in the history before the change whose result is shown. */
let before = Number(new URLSearchParams(location.search).get('done') ?? Infinity) - 1;

// ---- drawing

function render(next) {
  state = next;
  renderCommon(state);
  const { replicas, connection, pods, history, locust } = state;
  text(byId('found-at'), locust?.at ?? '');
  text(byId('test'), locust?.state ?? '');
  text(byId('rps'), (locust?.requestsPerSecond ?? 0).toFixed(1));
  text(byId('failures'), `${((locust?.failureRatio ?? 0) * 100).toFixed(1)} %`);
  showAge();
  // The result of a change disappears at the next change.
  if (latest() > before + 1 && byId('notice').classList.contains('good')) say(byId('notice'), '');
  list(byId('autoscalers'), state.autoscalers.filter(({ pause }) => pause?.state !== 'paused'), (one) => `${one.kind}/${one.name}`, autoscalerLine);
  list(byId('pods'), pods, (pod) => pod.name, podLine);
  text(byId('pods-count'), pods.length + state.morePods);
  text(byId('more-pods'), `and ${state.morePods} more`);
  show(byId('more-pods'), state.morePods > 0);
  show(byId('no-pods'), pods.length === 0 && !state.podsUnknown);
  say(byId('pods-unknown'), state.podsUnknown ?? '');
  list(byId('history'), history, (change) => String(change.id), historyLine);
  show(byId('no-history'), history.length === 0);
  text(byId('history-note'), state.historyNote);
  speak(replicas ? `${readyCount(replicas)} of ${replicas.desired} workers ready` : connection.message);
}

const latest = () => state?.history[0]?.id ?? 0;

/** Dims the cards while their numbers are outdated, and shows the time of the numbers. */
function showAge() {
  const { state: how, since } = state?.connection ?? {};
  const isCurrent = how === undefined || how === 'connected' || how === 'connecting';
  const at = lostAt ?? (isCurrent ? null : since);
  document.body.classList.toggle('stale', at !== null);
  showAsOf(document.querySelectorAll('.as-of'), at);
}

function autoscalerLine(line, { kind, name, min, max }) {
  line.className = 'note warn';
  text(line, `${kind} ${name} keeps the number of replicas between ${min} and ${max}, and may undo a change.`);
}

function podLine(line, pod) {
  line.dataset.look = pod.look;
  part(line, 'span', 'dot').ariaHidden = 'true';
  part(line, 'span', 'name', pod.name).title = pod.name;
  part(line, 'span', 'state', pod.text);
  moment(line, pod.created, age);
  optional(line, 'why', pod.message);
}

function notice(words, isBad) {
  const note = byId('notice');
  if (!words) before = latest();
  // A success stays until the next result or change, or the page would jump.
  if (!words && !note.classList.contains('bad')) return;
  note.className = `note ${isBad ? 'bad' : 'good'}`;
  note.setAttribute('role', isBad ? 'alert' : 'status');
  say(note, words);
}

const LINKS = { live: 'Live', lost: 'Reconnecting…', out: 'Signed out: reload the page' };

let late = 0;
let present = '';
function link(how) {
  if (how === present) return;
  present = how;
  clearTimeout(late);
  // The stream ends from time to time, and reconnects soon.
  const at = lostAt ?? Date.now();
  late = setTimeout(() => {
    lostAt = how === 'live' ? null : at;
    showAge();
  }, how === 'lost' ? 3000 : 0);
  if (how === 'live') earlier().then(addSamples);
  byId('live').dataset.state = how === 'live' ? 'on' : 'off';
  text(byId('live-text'), LINKS[how]);
}

const question = {
  title: byId('dialog-title'),
  words: byId('dialog-text'),
  yes: byId('dialog-ok'),
  open() {
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
    });
  },
};

const renderCommon = operate(byId, { dialog: question, tell: notice, signedOut: LINKS.out });
const addSamples = chart(byId('chart'));
// A Locust with the plugin shows this page below its own.
if (ROOT.pathname.endsWith('/-/locustctl/')) show(byId('to-locust'), byId('to-locust').href ||= new URL('../../', ROOT));
show(byId('live'), true);
byId('live').dataset.state = 'off';
text(byId('live-text'), 'Connecting…');
follow(render, link, (sample) => addSamples([sample]));
setInterval(() => {
  if (state) render(state);
}, 10000);
