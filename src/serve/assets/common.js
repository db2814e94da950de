// What our page and the panel in Locust's page have in common. Both have elements of the same ids,
// which `byId` finds.

/** Where our addresses begin: the page that this runs in may stand elsewhere. */
export const ROOT = new URL('../', import.meta.url);

export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

export function show(element, isShown) {
  element.hidden = !isShown;
}

/** Shows words, or nothing where there are none. */
export function say(element, words) {
  text(element, words);
  show(element, words !== '');
}

/** How long ago: `now`, `12s`, `5m`, `3h`, `2d`. */
export function age(at) {
  const seconds = Math.round((Date.now() - Date.parse(at)) / 1000);
  if (!(seconds >= 1)) return 'now';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

// ---- lists

/** Makes the children of `parent` those of `items`, in their order; what stays is kept. */
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

/** The part of `parent` with this class, made when it is missing. */
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

/** By us, or, where Locust relays, by a redirect to its login. */
const isSignedOut = (answer) => answer?.status === 401 || answer?.redirected === true;

/** The server has changed nothing, because the count was another one than `currentReplicas` of the request. */
const isStale = ({ reason, currentReplicas }) => reason === 'Conflict' && Number.isInteger(currentReplicas);

// ---- following

/**
 * Tells each new state, and how the connection is: `live`, `lost` or `out` (signed out). While nobody
 * can see it there is none: a browser has six for all of its tabs, and Locust's page needs them too.
 */
export function follow(onState, onLink) {
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
    own.onopen = () => onLink('live');
    own.onerror = async () => {
      // The browser tries again by itself, but not after an answer that is no stream.
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

/** For who cannot see it: words at once, or the latest of those that change with each tick. */
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

// ---- what is shown

/** One sentence on how it stands, and how it is to look. */
export function standing(replicas, troubles) {
  if (!replicas) return ['Not known', 'unknown'];
  const { desired, current, ready, settled } = replicas;
  if (settled) return [desired === 0 ? 'None are wanted' : 'All are ready', 'settled'];
  const there = ready === null ? `${current} of ${desired} there` : `${ready} of ${desired} ready`;
  if (troubles.length) return [there, 'stuck'];
  if (current > desired) return [`${current - desired} leaving`, 'moving'];
  return [there, 'moving'];
}

export function readyCount(replicas) {
  return replicas ? replicas.ready ?? replicas.current : '–';
}

function showCounts(byId, replicas, troubles) {
  const [words, look] = standing(replicas, troubles);
  const shown = readyCount(replicas);
  text(byId('ready'), shown);
  text(byId('desired'), replicas ? replicas.desired : '–');
  text(byId('unit'), replicas?.desired === 1 ? 'worker ready' : 'workers ready');
  text(byId('standing'), words);
  byId('standing').dataset.state = look;
  const bar = byId('bar');
  bar.max = Math.max(replicas ? replicas.desired : 1, 1);
  bar.value = replicas ? Math.min(shown, replicas.desired) : 0;
  text(bar, words);
}

const itself = (words) => words;

function showLocust(byId, locust) {
  show(byId('locust'), locust);
  if (!locust) return;
  const { problem, state, workers, users, usersWanted, notes } = locust;
  show(byId('swarm'), state !== '');
  text(byId('users'), usersWanted === null ? users : `${users} of ${usersWanted}`);
  text(byId('counted'), workers);
  say(byId('problem'), problem && `${problem}. Scaling still works.`);
  byId('locust').classList.toggle('stale', problem !== '');
  list(byId('notes'), problem ? [] : notes, itself, text);
  show(byId('rebalance'), locust.needsRebalance && !problem);
}

// ---- changing

const workersOf = (count) => `${count} worker${count === 1 ? '' : 's'}`;

const isTestRunning = (state) => ['running', 'spawning'].includes(state?.locust?.state);

/** What a running test loses by this count; nothing is the empty text. */
function costOf(state, desired, wanted) {
  if (!isTestRunning(state) || wanted >= desired) return '';
  const { workers, ownWorkers, users } = state.locust;
  // A pod may hold several of Locust's workers; and others than ours may have some.
  const leaving = ownWorkers > desired ? Math.round(ownWorkers * (1 - wanted / desired)) : ownWorkers - wanted;
  if (leaving <= 0) return '';
  const test = `A test is running with ${users} user${users === 1 ? '' : 's'}`;
  if (leaving >= workers) return `${test}: without workers it ends.`;
  return `${test} on ${workersOf(workers)}; ${leaving} of them will leave, and up to 3 s of their statistics are lost.`;
}

const ENDS = 'All workers go away, and a running test ends.';
const CHANGED = 'The number of workers has changed meanwhile.';

/** Why this count needs a question; the empty text when it needs none. */
function reason(state, wanted) {
  const desired = state?.replicas?.desired;
  const cost = costOf(state, desired, wanted);
  if (cost) return cost;
  if (wanted === 0 && desired !== 0) return ENDS;
  if (desired === undefined) return 'How many workers there are now is not known.';
  return wanted > 2 * Math.max(desired, 1) ? 'That is more than twice as many as now.' : '';
}

/** A yes that comes sooner than this many milliseconds after the question has changed was meant for the old one. */
const READING = 1000;

/**
 * Makes the form do what it is for, and shows what page and panel both show. `asking` has the elements
 * of a question; its `open` shows them and resolves to whether the answer was yes. `tell` says what
 * became of a change. Gives a function that shows a state.
 */
export function operate(byId, { asking, tell, signedOut }) {
  const field = byId('count');
  let state = null;
  /** Whether somebody has begun to type another number: it is theirs until it is sent. */
  let isEdited = false;
  /** Whether a change is under way, or asked about. */
  let isBusy = false;
  /** The open question: the count asked for, the count that it names, and since when it names that. */
  let question = null;

  const desired = () => state?.replicas?.desired;

  function render(next) {
    state = next;
    const { replicas, troubles, connection, limits, locust } = state;
    showCounts(byId, replicas, troubles);
    showLocust(byId, locust);
    list(byId('troubles'), troubles, itself, text);
    say(byId('connection'), connection.message);
    text(byId('limits'), `From ${limits.min} to ${limits.max}.`);
    Object.assign(field, limits);
    if (replicas && !isEdited && !isBusy) field.value = replicas.desired;
    if (question) renew();
  }

  /** Sends a change; resolves to the answer to it, or to null when it has none to be glad of. */
  async function send(button, method, path, order) {
    const name = button.textContent;
    tell('', false);
    // It keeps the focus, which a disabled one would lose.
    button.ariaDisabled = 'true';
    text(button, button.dataset.busy);
    try {
      const answer = await fetch(new URL(path, ROOT), {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(order),
        signal: AbortSignal.timeout(120000),
      });
      const result = await answer.json().catch(() => null);
      if (result && (answer.ok || isStale(result))) return result;
      if (isSignedOut(answer)) tell(`${signedOut}. Nothing was changed.`, true);
      else tell(result?.detail ?? `The server answered ${answer.status}.`, true);
    } catch {
      tell('The server did not answer. Whether anything was changed is not known: look at the numbers before you try again.', true);
    } finally {
      button.ariaDisabled = null;
      text(button, name);
    }
    return null;
  }

  /** Makes the open question name the present count. */
  function renew() {
    const { wanted } = question;
    const from = desired();
    if (from !== question.from) Object.assign(question, { from, since: performance.now() });
    const { name } = state?.target ?? {};
    text(asking.title, from === undefined ? `Scale to ${wanted}?` : `Scale ${name} from ${from} to ${wanted}?`);
    text(asking.words, reason(state, wanted) || CHANGED);
    text(asking.yes, `Scale to ${wanted}`);
    asking.yes.className = wanted === 0 && from !== 0 ? 'danger' : 'primary';
  }

  /** Asks; resolves to the body of the request, or to null when the answer was no. */
  async function ask(wanted, since) {
    question = { wanted, from: desired(), since };
    try {
      do {
        renew();
        if (!(await asking.open())) return null;
      } while (performance.now() - question.since < READING);
      return { replicas: wanted, currentReplicas: question.from };
    } finally {
      question = null;
    }
  }

  /** Asks where this is needed. The answer, or that none was needed, holds for the present count alone. */
  async function order(wanted, hasChanged) {
    if (hasChanged && wanted !== desired()) return ask(wanted, performance.now());
    if (reason(state, wanted)) return ask(wanted, -READING);
    return { replicas: wanted, currentReplicas: isTestRunning(state) ? desired() : undefined };
  }

  async function scale(wanted) {
    let result = null;
    do {
      const body = await order(wanted, result !== null);
      result = body && await send(byId('submit'), 'PUT', 'api/scale', body);
      if (!result) return field.focus();
      if (state?.replicas && isStale(result)) {
        const replicas = { ...state.replicas, desired: result.currentReplicas, settled: false };
        state = { ...state, replicas };
      }
    } while (isStale(result));
    isEdited = false;
    const { name } = result.target;
    const words = result.old === result.new
      ? `${name} was at ${result.new} already.`
      : `${name} was scaled from ${result.old ?? 'unset'} to ${result.new}.`;
    tell(`${words} ${result.message}`.trim(), false);
  }

  async function rebalance() {
    const result = await send(byId('give-back'), 'POST', 'api/rebalance', {});
    if (!result) return;
    tell(result.message, false);
    // The button goes, and would take the focus with it.
    byId('submit').focus();
  }

  function whenSubmitted(form, change) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      await change().finally(() => { isBusy = false; });
      if (state) render(state);
    });
  }
  whenSubmitted(byId('form'), () => scale(field.valueAsNumber));
  whenSubmitted(byId('rebalance'), rebalance);

  function edited() {
    isEdited = field.value !== String(desired() ?? '');
  }
  function step(by) {
    const from = Number.isNaN(field.valueAsNumber) ? desired() ?? 0 : field.valueAsNumber;
    field.value = Math.min(Math.max(from + by, Number(field.min)), Number(field.max));
    edited();
  }
  field.addEventListener('input', edited);
  byId('less').addEventListener('click', () => step(-1));
  byId('more').addEventListener('click', () => step(1));

  // What was refused stays to be mended.
  isEdited = field.value !== '' && field.value !== byId('desired').textContent;
  return render;
}
