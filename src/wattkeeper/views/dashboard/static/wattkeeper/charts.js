// The charts of a page: one request for all channels of a window, a chart for each, their cursors in step. While the
// window ends now (`data-follows-asset="ID"`) it goes on with the clock: the lines are asked for anew when that thing has
// said something, but not in the midst of a drag.
import { thousands } from "./figures.js";
import { plotOf, said } from "./plots.js";
import { lasting } from "./readout.js";
import { toast } from "./toasts.js";

const POINTS = { least: 400, most: 2000, pixelsEach: 3 }; // of every so many pixels first, last, lowest, highest
const FOLLOW_MS = 10_000;
const SHARE = 20; // of the time that an answer took
const LOOK_MS = 1000;
const JUST_MS = 2000; // what came a moment ago is not asked for again
const drawn = new Map(); // the charts' container -> what is known of it
let dragged = false;

async function asked(address, points, signal) {
  if (!address) return null;
  const answer = await fetch(`${address}&points=${points}`, { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.detail || `The server answered ${answer.status}.`);
  }
  return answer.json();
}

// The addresses and the span as the page has them, so much later.
function windowOf(charts, later) {
  const moved = (address) => {
    if (!address || !later) return address;
    const place = new URL(address, location.href);
    for (const name of ["initial_timestamp", "final_timestamp"]) {
      place.searchParams.set(name, new Date(Date.parse(place.searchParams.get(name)) + later).toISOString());
    }
    return place.href;
  };
  const { series, before, since, until } = charts.dataset;
  return { series: moved(series), before: moved(before), span: [since, until].map((at) => (Date.parse(at) + later) / 1000) };
}

async function fill(charts, state) {
  const { series, before, span } = windowOf(charts, charts.dataset.followsAsset ? Date.now() - state.began : 0);
  const width = charts.querySelector("[data-plot]").clientWidth;
  const points = Math.min(Math.max(4 * Math.round(width / POINTS.pixelsEach), POINTS.least), POINTS.most);
  const { signal } = state.going;
  const began = performance.now();
  [state.asking, state.told, state.now] = [true, false, false];
  try {
    const [now, then] = await Promise.all([asked(series, points, signal), asked(before, points, signal)]);
    await rested(); // whoever drags means what is there
    if (!charts.isConnected || signal.aborted) return;
    for (const [name, plot] of state.plots) {
      plot.update({ channel: now.channels[name], earlier: then?.channels[name], span, bucketSeconds: now.bucket_seconds ?? 0 });
    }
    foot(charts, now, then);
    charts.dataset.ready = "yes";
  } finally {
    [state.asking, state.took, state.answered] = [false, performance.now() - began, performance.now()];
  }
}

async function draw(charts) {
  const figures = [...charts.querySelectorAll("[data-chart]")];
  const plots = new Map(figures.map((figure, index) => [figure.dataset.chart, plotOf(figure, index, { charts, zone: charts.dataset.zone })]));
  const state = { plots, going: new AbortController(), began: drawn.get(charts)?.began ?? Date.now(), told: false, now: false };
  drawn.set(charts, state);
  try {
    await fill(charts, state);
  } catch (error) {
    if (error.name === "AbortError") return;
    for (const wait of charts.querySelectorAll("[data-wait]")) said(wait, "Could not be loaded");
    toast(`The charts could not be loaded. ${error.message}`, "error");
  }
}

function foot(charts, answer, earlier) {
  const place = charts.parentElement.querySelector("[data-foot]");
  const parts = [`${thousands(answer.rows)} readings.`];
  if (answer.thinned) {
    parts.push("Thinned for the screen: of every few pixels the first, the last, the lowest and the highest are kept.");
  }
  if (answer.gap_seconds) parts.push(`Lines are open where nothing came for more than ${lasting(answer.gap_seconds)}.`);
  if (earlier) parts.push(earlier.rows ? "Dashed: the window before." : "Nothing came in the window before.");
  place.textContent = [...parts, "Drag over a chart to zoom into it."].join(" ");
}

function look() {
  if (document.hidden || dragged) return;
  for (const [charts, state] of drawn) {
    if (!charts.dataset.followsAsset || !charts.isConnected || state.asking) continue;
    const rest = performance.now() - state.answered;
    const isDue = state.told && rest >= Math.max(FOLLOW_MS, SHARE * state.took);
    if (state.now || isDue) fill(charts, state).catch(() => {}); // the live state says that nothing comes
  }
}

function hear({ detail: frame }) {
  const things = Object.values(frame).filter(Array.isArray).flat();
  for (const [charts, state] of drawn) {
    if (things.some((one) => String(one.id) === charts.dataset.followsAsset) && frame.type !== "alert_update") state.told = true;
  }
}

const rested = () => new Promise((done) => {
  const wait = () => (dragged ? setTimeout(wait, 50) : done());
  wait();
});

function leave(charts) {
  const { plots, going } = drawn.get(charts);
  going.abort();
  for (const plot of plots.values()) plot.destroy();
}

function begin() {
  for (const charts of [...drawn.keys()]) {
    if (charts.isConnected) continue;
    leave(charts);
    drawn.delete(charts);
  }
  for (const charts of document.querySelectorAll("[data-charts]")) if (!drawn.has(charts)) draw(charts);
}

function again() {
  for (const charts of [...drawn.keys()]) {
    leave(charts);
    draw(charts);
  }
}

begin();
document.addEventListener("htmx:load", begin);
document.addEventListener("htmx:afterRequest", () => {
  for (const charts of drawn.keys()) delete charts.dataset.zooming;
});
document.addEventListener("mousedown", ({ target }) => (dragged = Boolean(target.closest("[data-charts]"))), true);
document.addEventListener("mouseup", () => setTimeout(() => (dragged = false)), true);
addEventListener("blur", () => (dragged = false)); // let go of elsewhere
document.addEventListener("live:frame", hear);
document.addEventListener("live:refetch", () => {
  for (const state of drawn.values()) state.now = !state.asking && performance.now() - state.answered > JUST_MS;
  look();
});
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_MS);
document.addEventListener("theme", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
