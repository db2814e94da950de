// The workers panel in Locust's page. A shadow root keeps the styles and scripts of both apart.
import { ROOT, follow, historyLine, list, operate, readyCount, say, show, showAsOf, speaker, text } from './common.js';

const ID = 'locustctl-panel';
const NARROW = 600;

/** The field of Locust's start form. */
const START_FIELD = 'input[name=userCount]';
/** A pointer that moves fewer pixels clicks. */
const DRAG = 8;

const MARKUP = `
<section id="panel" aria-labelledby="title" hidden>
  <header>
    <span class="dot" aria-hidden="true"></span>
    <h2 id="title"><span id="simulated" hidden>Simulated </span>Workers <span id="as-of" class="as-of" hidden></span></h2>
    <button id="move" class="icon" type="button" aria-label="Move the workers panel to the next corner" title="Move to the next corner, or drag">⤢</button>
    <button id="fold" class="icon" type="button" aria-expanded="true" aria-controls="panel" aria-label="Collapse the workers panel" title="Collapse">–</button>
  </header>
  <p id="link" class="note bad" hidden></p>
  <p id="connection" class="note warn" hidden></p>
  <div class="counts">
    <p><output id="ready">–</output> of <b id="desired"></b> <span id="unit"></span></p>
    <p id="standing" class="standing"></p>
  </div>
  <progress id="bar" max="1" value="0" aria-label="Workers ready"></progress>
  <ul id="troubles" class="troubles" aria-label="Reasons why workers do not start"></ul>
  <div id="locust" hidden>
    <dl id="swarm" class="tally">
      <div><dt>Connected workers</dt> <dd id="connected"></dd></div>
      <div><dt>Users</dt> <dd id="users"></dd></div>
    </dl>
    <p id="problem" class="note warn" hidden></p>
    <ul id="notes" class="troubles notes" aria-label="Warnings"></ul>
    <form id="rebalance" hidden><button id="redistribute" data-busy="Redistributing users…">Redistribute users</button></form>
  </div>
  <form id="form">
    <p><label for="count">New number<span class="sr"> of workers</span></label> <span id="limits"></span></p>
    <div class="row">
      <div class="stepper">
        <button class="icon" type="button" data-step="-1" aria-label="Decrease by 1">−</button>
        <input id="count" type="number" inputmode="numeric" required step="1" autocomplete="off" aria-describedby="limits">
        <button class="icon" type="button" data-step="1" aria-label="Increase by 1">+</button>
      </div>
      <button id="submit" class="primary" data-busy="Scaling…">Scale</button>
    </div>
  </form>
  <div id="ask" role="group" aria-labelledby="ask-title" hidden>
    <h3 id="ask-title" aria-live="polite"></h3>
    <p id="ask-text"></p>
    <div class="row">
      <button id="no" type="button" aria-describedby="ask-title ask-text">Cancel</button>
      <button id="yes" type="button"></button>
    </div>
  </div>
  <p id="notice" class="note" hidden></p>
  <ol id="history" aria-label="Last change"></ol>
  <footer><a href="${ROOT}">Pods and history</a></footer>
</section>
<button id="pill" type="button" aria-expanded="false" aria-controls="panel" title="Expand" hidden><span class="dot" aria-hidden="true"></span> Workers <b id="short"></b> <span id="alarm"></span></button>
<p id="spoken" class="sr" aria-live="polite"></p>`;

const LINKS = {
  lost: 'locustctl cannot be reached. Retrying…',
  out: 'Signed out: reload the page',
};

/** The text of the collapsed panel while the state of the cluster is unknown. */
const LINK_ALARMS = {
  connecting: 'connecting',
  lost: 'cluster unreachable',
  refused: 'no access to the cluster',
  missing: 'target not found',
};

function start() {
  const host = document.createElement('div');
  host.id = ID;
  host.hidden = true;
  const root = host.attachShadow({ mode: 'open' });
  root.innerHTML = MARKUP;
  const byId = (id) => root.getElementById(id);
  const panel = byId('panel');
  const pill = byId('pill');
  const speak = speaker(byId('spoken'));

  /** The last received state. */
  let state = null;
  /** The state of the connection. */
  let link = 'live';

  // ---- drawing

  function render(next) {
    state = next;
    renderCommon(state);
    const { target, replicas, connection, standing, history } = state;
    show(byId('simulated'), target.simulated);
    const ready = readyCount(replicas);
    text(byId('short'), replicas ? `${ready}/${replicas.desired}` : '–');
    const alarm = alarmOf(state);
    say(byId('alarm'), alarm);
    panel.dataset.state = alarm ? 'stuck' : standing.look;
    pill.dataset.state = panel.dataset.state;
    const isStale = lostAt !== null || connection.state !== 'connected';
    panel.classList.toggle('stale', isStale);
    showAsOf([byId('as-of')], isStale && connection.state !== 'connecting' ? lostAt ?? connection.since : null);
    list(byId('history'), history.filter(isShown), (change) => String(change.id), historyLine);
    if (isGood && latest() > before) say(byId('notice'), '');
    announceChange();
    speak(replicas ? `${ready} of ${replicas.desired} workers ready` : connection.message);
    takeTheme();
    if (isUnreachable && state.locust && !state.locust.problem) reloadSoon();
  }

  /** A problem that the collapsed panel shows too; an empty text if there is none. */
  function alarmOf({ connection, locust }) {
    if (link !== 'live') return link === 'out' ? 'signed out' : 'disconnected';
    if (connection.state !== 'connected') return LINK_ALARMS[connection.state];
    if (locust?.problem) return 'Locust unreachable';
    if (!locust?.needsRebalance) return '';
    const { users, usersWanted } = locust;
    return users < usersWanted ? `${users} of ${usersWanted} users` : 'workers without users';
  }

  let late = 0;
  /** The time of the server's last message, while there is no connection. */
  let lostAt = null;
  function onLink(next) {
    if (next === link) return;
    link = next;
    clearTimeout(late);
    const at = lostAt ?? Date.now();
    // The stream ends from time to time, and reconnects soon.
    late = setTimeout(() => {
      lostAt = link === 'live' ? null : at;
      const words = LINKS[link] ?? '';
      say(byId('link'), words);
      if (words) speak(words, true);
      if (state) render(state);
    }, link === 'lost' ? 3000 : 0);
  }

  // ---- the result of a change

  /** The id of a change from the URL, after a form was submitted without JavaScript. */
  const done = Number(new URLSearchParams(location.search).get('done'));
  const isShown = (change, place) => place === 0 || change.id === done;
  let isAnnounced = false;

  function announceChange() {
    if (isAnnounced) return;
    isAnnounced = true;
    const change = state.history.find(({ id }) => id === done);
    if (!change) return;
    fold(true);
    speak(`${state.target.name}: ${change.old ?? '?'} → ${change.new ?? '?'} ${change.outcome} ${change.message}`, true);
  }

  const latest = () => state?.history[0]?.id ?? 0;
  let before = 0;
  let isGood = true;

  /** Shows the result of a change. A success disappears as soon as it is in the history. */
  function tell(words, isBad) {
    if (!words) before = latest();
    isGood = !isBad;
    const note = byId('notice');
    note.className = `note ${isBad ? 'bad' : 'good'}`;
    say(note, isBad || latest() === before ? words : '');
    show(byId('history'), !isBad);
    speak(words, true);
  }

  let answer = null;
  function open() {
    show(byId('form'), false);
    show(byId('ask'), true);
    byId('no').focus();
    return new Promise((resolve) => {
      answer = (isYes) => {
        answer = null;
        show(byId('ask'), false);
        show(byId('form'), true);
        byId('submit').focus();
        resolve(isYes);
      };
    });
  }
  const dialog = { title: byId('ask-title'), words: byId('ask-text'), yes: byId('yes'), open };
  byId('no').addEventListener('click', () => answer?.(false));
  byId('yes').addEventListener('click', () => answer?.(true));

  // Locust's page has keyboard shortcuts of its own.
  for (const type of ['keydown', 'keypress', 'keyup']) {
    root.addEventListener(type, (event) => {
      event.stopPropagation();
      if (type === 'keydown' && event.key === 'Escape') answer?.(false);
    });
  }

  // ---- collapsing

  /** Reads a choice of the user. Browsers may refuse access to the storage. */
  function recall(key) {
    try { return localStorage.getItem(key); } catch { return null; }
  }
  function remember(key, value) {
    try { localStorage.setItem(key, value); } catch {}
  }

  /** True while Locust's page shows its start form. The form in a dialog is above the panel. */
  let isStarting = false;

  function fold(isOpen) {
    show(panel, isOpen);
    show(pill, !isOpen);
  }
  function choose(isOpen) {
    fold(isOpen);
    byId(isOpen ? 'fold' : 'pill').focus();
    // While the start form is open, the panel is folded each time.
    if (!isStarting) remember(ID, isOpen ? 'open' : 'folded');
  }
  function foldByDefault() {
    fold(!isStarting && innerWidth >= NARROW && recall(ID) !== 'folded');
  }
  function watchStartForm() {
    const fields = [...document.querySelectorAll(START_FIELD)];
    const isOpen = fields.some((field) => !field.closest('[role=dialog], [role=presentation], dialog'));
    if (isOpen === isStarting) return;
    isStarting = isOpen;
    // A panel in use stays: its question would be lost.
    if (!root.activeElement || panel.hidden) foldByDefault();
  }
  byId('fold').addEventListener('click', () => choose(false));
  pill.addEventListener('click', () => choose(true));

  // ---- moving

  const CORNERS = ['bottom right', 'bottom left', 'top left', 'top right'];
  const place = `${ID}-corner`;
  function dock(corner) {
    host.dataset.corner = CORNERS.includes(corner) ? corner : CORNERS[0];
  }
  function moveTo(corner) {
    dock(corner);
    remember(place, corner);
  }
  byId('move').addEventListener('click', () => {
    moveTo(CORNERS[(CORNERS.indexOf(host.dataset.corner) + 1) % CORNERS.length]);
  });

  /** Lets the user drag `box` by `handle` to a corner. */
  function makeMovable(box, handle) {
    let from = null;
    let isDragged = false;
    const end = () => {
      from = null;
      box.style.translate = '';
    };
    handle.addEventListener('pointerdown', (event) => {
      isDragged = false;
      if (event.button !== 0 || (handle !== box && event.target.closest('button'))) return;
      from = event;
      // A quick pointer leaves the handle with its first move.
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener('pointermove', (event) => {
      if (!from) return;
      const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
      if (!isDragged && Math.hypot(x, y) < DRAG) return;
      isDragged = true;
      box.style.translate = `${x}px ${y}px`;
    });
    handle.addEventListener('pointerup', () => {
      if (from && isDragged) {
        const { left, right, top, bottom } = box.getBoundingClientRect();
        moveTo(`${top + bottom < innerHeight ? 'top' : 'bottom'} ${left + right < innerWidth ? 'left' : 'right'}`);
      }
      end();
    });
    handle.addEventListener('pointercancel', end);
    // The click after a drag does not open the panel.
    handle.addEventListener('click', (event) => {
      if (isDragged) event.stopImmediatePropagation();
      isDragged = false;
    }, { capture: true });
  }
  makeMovable(panel, root.querySelector('header'));
  makeMovable(pill, pill);
  dock(recall(place));
  watchStartForm();
  foldByDefault();

  // ---- in Locust's page

  /** Follows Locust's theme, which is only visible in the colours of its page. */
  function takeTheme() {
    const colour = getComputedStyle(document.body).backgroundColor;
    const [red, green, blue, alpha = 1] = (colour.startsWith('rgb') && colour.match(/[\d.]+/g)) || [0, 0, 0, 0];
    const look = red * 0.3 + green * 0.59 + blue * 0.11 < 128 ? 'dark' : 'light';
    if (Number(alpha) === 0) delete host.dataset.theme;
    else if (host.dataset.theme !== look) host.dataset.theme = look;
  }

  let watching = 0;
  new MutationObserver(() => {
    watching ||= setTimeout(() => {
      watching = 0;
      watchStartForm();
    }, 100);
  }).observe(document.body, { childList: true, subtree: true });

  const observer = new MutationObserver(() => {
    takeTheme();
    if (!host.isConnected) document.body.append(host);
  });
  observer.observe(document.head, { childList: true, subtree: true, characterData: true });
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, childList: true });
  }

  /** True in the page that replaces Locust's while Locust does not answer. */
  const isUnreachable = document.documentElement.dataset.locust === 'unreachable';
  let isReloading = false;
  function reloadSoon() {
    if (isReloading) return;
    isReloading = true;
    setTimeout(() => location.reload(), 2000);
  }

  const renderCommon = operate(byId, { dialog, tell, signedOut: LINKS.out });
  let missing = 2;
  function addStyles(name, place) {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = new URL(name, import.meta.url);
    sheet.onload = () => {
      missing -= 1;
      host.hidden = missing > 0;
    };
    sheet.onerror = () => {
      sheet.remove();
      setTimeout(addStyles, 5000, name, place);
    };
    place(sheet);
  }
  // The panel's own styles come after the shared ones, in whichever order they load.
  addStyles('tokens.css', (sheet) => root.prepend(sheet));
  addStyles('panel.css', (sheet) => panel.before(sheet));
  takeTheme();
  document.body.append(host);
  follow(render, onLink);
  setInterval(() => {
    if (state) render(state);
  }, 10000);
}

// The server and the plugin may both have inserted the script.
if (!document.getElementById(ID)) start();
