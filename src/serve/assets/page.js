// Keeps the page as it would be if it were loaded anew, and sends the form without leaving it.
'use strict';

const byId = (id) => document.getElementById(id);
const field = byId('count');
const submit = byId('submit');
const dialog = byId('dialog');

/** The last state that was told. */
let state = null;
/** Whether somebody has begun to type another number: it is theirs until it is sent. */
let isEdited = false;
/** Whether a change is under way. */
let isBusy = false;

// ---- what is shown

function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

function show(element, isShown) {
  element.hidden = !isShown;
}

/** One sentence on how it stands, and how it is to look. */
function standing(replicas, troubles) {
  if (!replicas) return ['Not known', 'unknown'];
  const { desired, current, ready, settled } = replicas;
  if (settled) return [desired === 0 ? 'None are wanted' : 'All are ready', 'settled'];
  const there = ready === null ? `${current} of ${desired} there` : `${ready} of ${desired} ready`;
  if (troubles.length) return [there, 'stuck'];
  if (current > desired) return [`${current - desired} leaving`, 'moving'];
  return [there, 'moving'];
}

function render(next) {
  state = next;
  const { replicas, connection, troubles, pods, history } = state;
  const [words, look] = standing(replicas, troubles);
  const shown = replicas && (replicas.ready ?? replicas.current);
  text(byId('ready'), replicas ? shown : '–');
  text(byId('desired'), replicas ? replicas.desired : '–');
  text(byId('unit'), replicas && replicas.desired === 1 ? 'worker ready' : 'workers ready');
  text(byId('wanted'), replicas ? replicas.desired : '–');
  text(byId('there'), replicas ? replicas.current : '–');
  text(byId('are-ready'), replicas?.ready ?? '–');
  text(byId('standing'), words);
  byId('standing').dataset.state = look;
  const bar = byId('bar');
  bar.max = Math.max(replicas ? replicas.desired : 1, 1);
  bar.value = replicas ? Math.min(shown, replicas.desired) : 0;
  text(bar, words);

  text(byId('connection'), connection.message);
  show(byId('connection'), connection.message !== '');
  document.body.classList.toggle('stale', connection.state !== 'connected');

  list(byId('autoscalers'), state.autoscalers, (one) => `${one.kind}/${one.name}`, autoscalerLine);
  list(byId('troubles'), troubles, (line) => line, troubleLine);
  list(byId('pods'), pods, (pod) => pod.name, podLine);
  text(byId('pods-count'), pods.length + state.morePods);
  text(byId('more-pods'), `and ${state.morePods} more`);
  show(byId('more-pods'), state.morePods > 0);
  show(byId('no-pods'), pods.length === 0 && !state.podsUnknown);
  text(byId('pods-unknown'), state.podsUnknown ?? '');
  show(byId('pods-unknown'), state.podsUnknown !== null);
  list(byId('history'), history, (change) => String(change.id), historyLine);
  show(byId('no-history'), history.length === 0);

  if (replicas && !isEdited && !isBusy) field.value = replicas.desired;
  speak(replicas ? `${shown} of ${replicas.desired} workers ready` : connection.message);
}

/** Makes the children of `parent` those of `items`, in their order; what stays is kept. */
function list(parent, items, keyOf, fill) {
  const old = new Map();
  for (const child of [...parent.children]) {
    if (child.dataset.key === undefined) child.remove();
    else old.set(child.dataset.key, child);
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = document.createElement(parent.tagName === 'DIV' ? 'p' : 'li');
      child.dataset.key = key;
    }
    fill(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

/** The part of `parent` with this class, made when it is missing. */
function part(parent, tag, name, value) {
  let child = parent.querySelector(`:scope > .${name}`);
  if (!child) {
    child = document.createElement(tag);
    child.className = name;
    parent.append(child);
  }
  if (value !== undefined) text(child, value);
  return child;
}

function optional(parent, name, value) {
  if (value) part(parent, 'span', name, value);
  else parent.querySelector(`:scope > .${name}`)?.remove();
}

function moment(parent, at, words) {
  const time = part(parent, 'time', 'age', words(at));
  time.dateTime = at;
  time.title = new Date(at).toLocaleString();
}

function autoscalerLine(line, { kind, name, min, max }) {
  line.className = 'note warn';
  text(line, `${kind} ${name} keeps this between ${min} and ${max} and may undo a change.`);
}

function troubleLine(line, words) {
  text(line, words);
}

const UNDER_WAY = ['', 'Pending', 'ContainerCreating', 'PodInitializing', 'Running', 'Succeeded',
  'Terminating', 'running, but not ready'];
const WORDS = { ContainerCreating: 'Starting', PodInitializing: 'Starting', 'running, but not ready': 'Not ready' };

function podLine(line, pod) {
  line.dataset.look = pod.ready ? 'ready' : UNDER_WAY.includes(pod.state) ? 'wait' : 'bad';
  part(line, 'span', 'dot').ariaHidden = 'true';
  part(line, 'span', 'name', pod.name).title = pod.name;
  part(line, 'span', 'state', pod.ready ? 'Ready' : WORDS[pod.state] ?? pod.state);
  moment(line, pod.created, age);
  optional(line, 'why', pod.message);
}

function historyLine(line, change) {
  line.dataset.outcome = change.outcome;
  part(line, 'span', 'step', `${change.old ?? '?'} → ${change.new ?? '?'}`);
  part(line, 'span', 'outcome', change.outcome);
  part(line, 'span', 'by', change.who);
  moment(line, change.at, (at) => (age(at) === 'now' ? 'now' : `${age(at)} ago`));
  optional(line, 'why', change.message);
}

/** How long ago: `now`, `12s`, `5m`, `3h`, `2d`. */
function age(at) {
  const seconds = Math.round((Date.now() - Date.parse(at)) / 1000);
  if (!(seconds >= 1)) return 'now';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

/** Told to who cannot see the page: the latest only, and not each tick. */
let spoken = '';
let speaking = null;
function speak(words) {
  if (words === spoken) return;
  spoken = words;
  speaking ??= setTimeout(() => {
    speaking = null;
    text(byId('spoken'), spoken);
  }, 2000);
}

function notice(words, isBad) {
  const note = byId('notice');
  note.className = `note ${isBad ? 'bad' : 'good'}`;
  note.setAttribute('role', isBad ? 'alert' : 'status');
  text(note, words);
  show(note, words !== '');
}

// ---- following

let pause = 1000;

function live(isOn, words) {
  byId('live').dataset.state = isOn ? 'on' : 'off';
  text(byId('live-text'), words);
}

function follow() {
  const source = new EventSource('api/events');
  source.addEventListener('state', (event) => {
    pause = 1000;
    live(true, 'Live');
    render(JSON.parse(event.data));
  });
  source.onopen = () => live(true, 'Live');
  source.onerror = async () => {
    live(false, 'Reconnecting…');
    // The browser tries again by itself, but not after an answer that is no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    const answer = await fetch('api/scale', { cache: 'no-store' }).catch(() => null);
    if (answer?.status === 401) return live(false, 'Signed out: reload the page');
    setTimeout(follow, pause);
    pause = Math.min(pause * 2, 30000);
  };
}

// ---- changing

function needsQuestion(wanted) {
  const desired = state?.replicas?.desired;
  if (desired === undefined) return false;
  return (wanted === 0 && desired > 0) || wanted > 2 * Math.max(desired, 1);
}

/** Asks, and resolves to whether it was meant. */
function confirmed(wanted) {
  const { name } = state.target;
  const { desired } = state.replicas;
  text(byId('dialog-title'), `Scale ${name} from ${desired} to ${wanted}?`);
  text(byId('dialog-text'), wanted === 0
    ? 'All workers go away, and a running test ends.'
    : 'That is more than twice as many as now.');
  text(byId('dialog-ok'), `Scale to ${wanted}`);
  byId('dialog-ok').className = wanted === 0 ? 'danger' : 'primary';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
  });
}

async function scale(wanted) {
  isBusy = true;
  submit.disabled = true;
  text(submit, 'Scaling…');
  try {
    const answer = await fetch('api/scale', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ replicas: wanted }),
      signal: AbortSignal.timeout(120000),
    });
    const result = await answer.json().catch(() => null);
    if (answer.ok && result) {
      isEdited = false;
      const { name } = result.target;
      const words = result.old === result.new
        ? `${name} was at ${result.new} already.`
        : `${name} was scaled from ${result.old ?? 'unset'} to ${result.new}.`;
      notice(`${words} ${result.message}`.trim(), false);
    } else if (answer.status === 401) {
      notice('You are signed out. Reload the page to sign in; nothing was changed.', true);
    } else {
      notice(result?.detail ?? `The server answered ${answer.status}.`, true);
      field.focus();
    }
  } catch {
    notice('The server did not answer. Whether the number was changed is not known: look below before you try again.', true);
  } finally {
    isBusy = false;
    submit.disabled = false;
    text(submit, 'Scale');
  }
  if (state) render(state);
}

byId('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (isBusy || dialog.open) return;
  const wanted = field.valueAsNumber;
  if (needsQuestion(wanted) && !(await confirmed(wanted))) return field.focus();
  await scale(wanted);
});

function edited() {
  isEdited = field.value !== String(state?.replicas?.desired ?? '');
}
field.addEventListener('input', edited);

function step(by) {
  const from = Number.isNaN(field.valueAsNumber) ? state?.replicas?.desired ?? 0 : field.valueAsNumber;
  field.value = Math.min(Math.max(from + by, Number(field.min)), Number(field.max));
  edited();
}
byId('less').addEventListener('click', () => step(-1));
byId('more').addEventListener('click', () => step(1));

// ---- beginning

// What was refused stays to be mended.
isEdited = field.value !== byId('desired').textContent;
for (const id of ['less', 'more', 'live']) show(byId(id), true);
live(false, 'Connecting…');
follow();
setInterval(() => {
  if (state) render(state);
}, 10000);
