// Code that the page and the panel in Locust's page share. Both have elements with the same ids,
// which `byId` finds.

/** The root of the server's own addresses. The page that contains this script may be elsewhere. */
export const ROOT = new URL('../', import.meta.url);

export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

export function show(element, isShown) {
  element.hidden = !isShown;
}

/** Shows a text; hides the element if the text is empty. */
export function say(element, words) {
  text(element, words);
  show(element, words !== '');
}

/** The time since `at`: `now`, `12s`, `5m`, `3h`, `2d`. */
export function age(at) {
  const seconds = Math.round((Date.now() - Date.parse(at)) / 1000);
  if (!(seconds >= 1)) return 'now';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

// ---- lists

/** Makes the children of `parent` match `items`, in their order. Children with the same key are kept. */
export function list(parent, items, keyOf, fill) {
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

/** The child of `parent` with this class. It is created if it is missing. */
export function part(parent, tag, name, value) {
  let child = parent.querySelector(`:scope > .${name}`);
  if (!child) {
    child = document.createElement(tag);
    child.className = name;
    parent.append(child);
  }
  if (value !== undefined) text(child, value);
  return child;
}

export function optional(parent, name, value) {
  if (value) return part(parent, 'span', name, value);
  parent.querySelector(`:scope > .${name}`)?.remove();
  return null;
}

export function moment(parent, at, words) {
  const time = part(parent, 'time', 'age', words(at));
  time.dateTime = at;
  time.title = new Date(at).toLocaleString();
}

export function historyLine(line, change) {
  line.dataset.outcome = change.outcome;
  part(line, 'span', 'step', `${change.old ?? '?'} → ${change.new ?? '?'}`);
  part(line, 'span', 'outcome', change.outcome);
  part(line, 'span', 'by', change.who);
  moment(line, change.at, (at) => (age(at) === 'now' ? 'now' : `${age(at)} ago`));
  optional(line, 'why', change.message);
  const users = optional(line, 'users', change.users?.text);
  if (users) users.dataset.stage = change.users.stage;
}

/** True for a 401, and for a redirect to Locust's login. */
const isSignedOut = (answer) => answer?.status === 401 || answer?.redirected === true;

/** True if the server changed nothing because the count differs from the request's `currentReplicas`. */
const isStale = ({ reason, currentReplicas }) => reason === 'Conflict' && Number.isInteger(currentReplicas);

// ---- events

/**
 * Passes each new state to `onState`, the state of the connection to `onLink` (`live`, `lost` or `out`:
 * signed out), and each sample of the chart to `onSample`. A hidden page closes its connection: a browser allows six for all of its tabs,
 * and Locust's page needs some too.
 */
export function follow(onState, onLink, onSample = () => {}) {
  let source = null;
  let later = 0;
  let pause = 1000;

  function close() {
    clearTimeout(later);
    source?.close();
    source = null;
  }

  function open() {
    close();
    if (document.hidden) return;
    const own = new EventSource(new URL('api/events', ROOT));
    source = own;
    own.addEventListener('state', (event) => {
      pause = 1000;
      onLink('live');
      onState(JSON.parse(event.data));
    });
    own.addEventListener('sample', (event) => onSample(JSON.parse(event.data)));
    own.onopen = () => onLink('live');
    own.onerror = async () => {
      // The browser reconnects by itself, except after an answer that is not a stream.
      if (own.readyState !== EventSource.CLOSED) return onLink('lost');
      const [cache, signal] = ['no-store', AbortSignal.timeout(10000)];
      const answer = await fetch(new URL('api/scale', ROOT), { cache, signal }).catch(() => null);
      if (own !== source) return;
      onLink(isSignedOut(answer) ? 'out' : 'lost');
      later = setTimeout(open, pause);
      pause = Math.min(pause * 2, 30000);
    };
  }

  document.addEventListener('visibilitychange', open);
  open();
}

/** Announces texts to screen readers: urgent ones at once, of all others the latest after 2 s. */
export function speaker(region) {
  let latest = '';
  let waiting = null;
  return (words, isUrgent) => {
    if (isUrgent) return text(region, words);
    if (words === latest) return;
    latest = words;
    waiting ??= setTimeout(() => {
      waiting = null;
      text(region, latest);
    }, 2000);
  };
}

// ---- drawing

/** Shows in each of these elements since when its numbers are outdated; hides them for null. */
export function showAsOf(elements, at) {
  const clock = at && new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
  for (const element of elements) say(element, clock ? `as of ${clock}` : '');
}

export function readyCount(replicas) {
  return replicas ? replicas.ready ?? replicas.current : '–';
}

/** The status without the counts, which stand beside it. */
function label({ text: words, look }) {
  if (!words.includes(' of ')) return words;
  return look === 'stuck' ? 'Pods do not start' : 'Starting';
}

function showCounts(byId, replicas, standing) {
  const shown = readyCount(replicas);
  text(byId('ready'), shown);
  text(byId('desired'), replicas ? replicas.desired : '–');
  text(byId('unit'), replicas?.desired === 1 ? 'worker ready' : 'workers ready');
  text(byId('standing'), label(standing));
  byId('standing').dataset.state = standing.look;
  const bar = byId('bar');
  bar.max = Math.max(replicas ? replicas.desired : 1, 1);
  bar.value = replicas ? Math.min(shown, replicas.desired) : 0;
  text(bar, standing.text);
}

const itself = (words) => words;

function showLocust(byId, locust) {
  show(byId('locust'), locust);
  if (!locust) return;
  const { problem, state, workers, users, usersWanted, notes } = locust;
  show(byId('swarm'), state !== '');
  text(byId('users'), usersWanted === null ? users : `${users} of ${usersWanted}`);
  text(byId('connected'), workers);
  say(byId('problem'), problem && `${problem}. You can still change the number of workers.`);
  byId('locust').classList.toggle('stale', problem !== '');
  list(byId('notes'), problem ? [] : notes, itself, text);
  show(byId('rebalance'), locust.needsRebalance && !problem);
}

// ---- changes

/** An answer within this time (ms) after a change of the question belongs to the old one. */
const READING_TIME = 1000;

/**
 * Connects the form, and draws the parts that the page and the panel share. `dialog` has the elements of
 * a question; its `open` shows them and resolves to true for a yes. `tell` shows the result of a
 * change. Returns a function that draws a state.
 */
export function operate(byId, { dialog, tell, signedOut }) {
  const field = byId('count');
  let state = null;
  /** True if the user has entered another number. It is kept until it is sent. */
  let isEdited = false;
  /** True while a change is running, or a question about it is open. */
  let isBusy = false;
  /** The open dialog: the requested count, the server's question, the body of the PUT, and the time at which it was shown. */
  let question = null;

  const desired = () => state?.replicas?.desired;

  /** True if the field has the current number, which is unknown while the cluster does not answer. */
  const isUnchanged = () => state?.connection.state === 'connected' && field.value === String(desired() ?? '');

  function updateSubmit() {
    if (!isBusy) byId('submit').ariaDisabled = isUnchanged() ? 'true' : null;
  }

  function render(next) {
    state = next;
    const { replicas, standing, reasons, connection, limits, locust } = state;
    showCounts(byId, replicas, standing);
    showLocust(byId, locust);
    list(byId('troubles'), reasons, itself, text);
    say(byId('connection'), connection.message);
    text(byId('limits'), `From ${limits.min} to ${limits.max}.`);
    Object.assign(field, limits);
    if (replicas && !isEdited && !isBusy) field.value = replicas.desired;
    updateSubmit();
    if (question) renewQuestion();
  }

  /** Sends a request. Resolves to its result, or to null after an error that was shown. */
  async function send(button, method, path, order) {
    const name = button.textContent;
    tell('', false);
    // A disabled button would lose the focus.
    button.ariaDisabled = 'true';
    text(button, button.dataset.busy);
    try {
      const answer = await fetch(new URL(path, ROOT), {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: order && JSON.stringify(order),
        cache: 'no-store',
        signal: AbortSignal.timeout(120000),
      });
      const result = await answer.json().catch(() => null);
      if (result && (answer.ok || isStale(result))) return result;
      if (isSignedOut(answer)) tell(`${signedOut}. Nothing was changed.`, true);
      else tell(result?.detail ?? `The server answered ${answer.status}.`, true);
    } catch {
      tell(method === 'GET'
        ? 'The server did not answer. Nothing was changed. Try again.'
        : 'The server did not answer, and the result is not known. Check the numbers before you try again.', true);
    } finally {
      button.ariaDisabled = null;
      text(button, name);
    }
    return null;
  }

  const questionPath = (wanted, isAsked) => `api/question?replicas=${wanted}&asked=${isAsked}`;

  /** Shows a new answer of the server to the open question. */
  function showQuestion(next) {
    const { title, text: words, dangerous } = next.question;
    if (next.order.currentReplicas !== question.order?.currentReplicas) question.since = performance.now();
    Object.assign(question, next);
    text(dialog.title, title);
    text(dialog.words, words);
    text(dialog.yes, `Scale to ${question.requested}`);
    dialog.yes.className = dangerous ? 'danger' : 'primary';
  }

  /** Asks the server again after the state has changed. The open question stays if that fails. */
  async function renewQuestion() {
    const opened = question;
    if (opened.isRenewing) {
      opened.isOutdated = true;
      return;
    }
    opened.isRenewing = true;
    do {
      opened.isOutdated = false;
      const signal = AbortSignal.timeout(15000);
      const answer = await fetch(new URL(questionPath(opened.requested, true), ROOT), { cache: 'no-store', signal })
        .catch(() => null);
      const next = answer?.ok ? await answer.json().catch(() => null) : null;
      if (question !== opened) return;
      if (next?.question) showQuestion(next);
    } while (opened.isOutdated);
    opened.isRenewing = false;
  }

  /** Asks the question. Resolves to the body of the PUT, or to null if the user declines. */
  async function ask(requested, reply, isNewDialog) {
    question = { requested };
    try {
      showQuestion(reply);
      // No earlier text was visible, so the user may answer at once: skip the reading time.
      if (isNewDialog) question.since = -READING_TIME;
      do {
        if (!(await dialog.open())) return null;
      } while (performance.now() - question.since < READING_TIME);
      return question.order;
    } finally {
      question = null;
    }
  }

  /** Asks for confirmation if needed. Resolves to the body of the PUT, or to null if the user declines or an error was shown. */
  async function order(wanted, isAsked) {
    const next = await send(byId('submit'), 'GET', questionPath(wanted, isAsked));
    if (!next?.question) return next?.order;
    return ask(wanted, next, !isAsked);
  }

  async function scale(wanted) {
    let result = null;
    do {
      const body = await order(wanted, result !== null && wanted !== result.currentReplicas);
      result = body && await send(byId('submit'), 'PUT', 'api/scale', body);
      if (!result) return field.focus();
      if (state?.replicas && isStale(result)) {
        const replicas = { ...state.replicas, desired: result.currentReplicas, settled: false };
        state = { ...state, replicas, standing: { text: 'Updating…', look: 'moving' } };
      }
    } while (isStale(result));
    isEdited = false;
    const { name } = result.target;
    const words = result.old === result.new
      ? `${name} already had this number of replicas (${result.new}).`
      : `${name} was scaled from ${result.old ?? 'unset'} to ${result.new}.`;
    tell(`${words} ${result.message}`.trim(), false);
  }

  async function rebalance() {
    const result = await send(byId('redistribute'), 'POST', 'api/rebalance', {});
    if (!result) return;
    tell(result.message, false);
    // The button disappears, so another one gets the focus.
    byId('submit').focus();
  }

  function whenSubmitted(form, change, isUseless = () => false) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (isBusy || isUseless()) return;
      isBusy = true;
      await change().finally(() => { isBusy = false; });
      if (state) render(state);
    });
  }
  whenSubmitted(byId('form'), () => scale(field.valueAsNumber), isUnchanged);
  whenSubmitted(byId('rebalance'), rebalance);

  function updateEdited() {
    isEdited = field.value !== String(desired() ?? '');
    updateSubmit();
  }
  /** Adds to the number in the field, within the limits. */
  function step(by) {
    const from = Number.isNaN(field.valueAsNumber) ? desired() ?? 0 : field.valueAsNumber;
    field.value = Math.min(Math.max(from + by, Number(field.min)), Number(field.max));
    updateEdited();
  }
  field.addEventListener('input', updateEdited);
  field.addEventListener('keydown', (event) => {
    const by = { PageUp: 10, PageDown: -10 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  });
  for (const button of byId('form').querySelectorAll('[data-step]')) {
    show(button, true);
    button.addEventListener('click', () => step(Number(button.dataset.step)));
  }

  // A refused number stays in the field, so that the user can correct it.
  isEdited = field.value !== '' && field.value !== byId('desired').textContent;
  return render;
}
