// Draws the last hour: one plot for workers, one for users and one for RPS, since their scales differ.
import { ROOT, part, show } from './common.js';

const PLOTS = [
  ['Workers', { ready: 'ready', connected: 'connected' }],
  ['Users', { users: '' }],
  ['RPS', { requestsPerSecond: '' }],
];
const WIDTH = 300;
const HEIGHT = 60;
/** The shortest time that a plot shows, the longest one, and the longest time between two points of a line, in ms. */
const [MIN_SPAN, MAX_SPAN, MAX_GAP] = [300000, 3600000, 60000];

const shown = (number) => (Number.isInteger(number) ? number : number.toFixed(1));
const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });

/** The least number of the form 1, 2 or 5 times a power of ten that is at least `number` and 1. */
function ceiling(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return [1, 2, 5, 10].find((factor) => factor * power >= number) * power;
}

/** The path of a line through `[at, number]`. Unknown numbers and missing samples interrupt it. */
function path(points, since, until, top) {
  let last = null;
  return points.map(([at, number]) => {
    const isNew = last === null || at - last > MAX_GAP;
    last = number === null ? null : at;
    if (number === null) return '';
    const x = (((at - since) / (until - since)) * WIDTH).toFixed(1);
    const y = (HEIGHT - (number / top) * HEIGHT).toFixed(1);
    // A line of length 0 shows a single point.
    return isNew ? `M${x} ${y}h0` : `L${x} ${y}`;
  }).join('');
}

function summary(name, numbers) {
  const now = numbers.at(-1);
  const known = numbers.filter((number) => number !== null);
  const range = `${shown(Math.min(...known))} to ${shown(Math.max(...known))}`;
  return `${name} ${range}, ${now === null ? 'unknown' : shown(now)} at the end`.trim();
}

function draw(parent, [title, series], samples) {
  const times = samples.map(({ at }) => Date.parse(at));
  const until = times.at(-1);
  const since = Math.min(Math.max(times[0], until - MAX_SPAN), until - MIN_SPAN);
  const lines = Object.keys(series).map((key) => [key, samples.map((sample) => sample[key])])
    .filter(([, numbers]) => numbers.some((number) => number !== null));
  const plot = part(parent, 'figure', title);
  show(plot, lines.length > 0);
  if (plot.hidden) return;
  if (!plot.firstChild) {
    const curves = Object.keys(series).map((key) => `<path class="${key}"/>`).join('');
    plot.innerHTML = `<figcaption></figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img">${curves}</svg><p class="y" aria-hidden="true"></p><p class="x" aria-hidden="true"></p>`;
  }
  const [caption, picture, y, x] = plot.children;
  part(caption, 'b', 'name', title);
  const top = ceiling(Math.max(...lines.flatMap(([, numbers]) => numbers)));
  for (const [key, numbers] of lines) {
    const now = numbers.at(-1);
    part(caption, 'span', key, `${now === null ? '–' : shown(now)} ${series[key]}`);
    const points = numbers.map((number, place) => [times[place], number]);
    picture.querySelector(`.${key}`).setAttribute('d', path(points, since, until, top));
  }
  const range = `from ${clock(since)} to ${clock(until)}`;
  const texts = lines.map(([key, numbers]) => summary(series[key], numbers));
  picture.ariaLabel = `${title} ${range}: ${texts.join('; ')}`;
  const labels = [[y, 'most', top], [y, 'least', 0], [x, 'since', clock(since)], [x, 'until', clock(until)]];
  for (const [axis, name, words] of labels) part(axis, 'span', name, words);
}

/** Returns a function that adds samples to the chart in `card`. */
export function chart(card) {
  const samples = new Map();
  return (more) => {
    for (const sample of more) samples.set(sample.at, sample);
    const all = [...samples.values()].sort((one, other) => (one.at < other.at ? -1 : 1));
    const isOld = ({ at }) => Date.parse(all.at(-1)?.at) - Date.parse(at) > MAX_SPAN;
    for (const { at } of all.filter(isOld)) samples.delete(at);
    const kept = all.filter((sample) => !isOld(sample));
    show(card, kept.length > 0);
    if (kept.length > 0) PLOTS.forEach((plot) => draw(part(card, 'div', 'plots'), plot, kept));
  };
}

/** The samples that serve has kept. An unreachable serve has none. */
export async function earlier() {
  const answer = await fetch(new URL('api/samples', ROOT), { cache: 'no-store' }).catch(() => null);
  const kept = answer?.ok ? await answer.json().catch(() => null) : null;
  return kept?.samples ?? [];
}
