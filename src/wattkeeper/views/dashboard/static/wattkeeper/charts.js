// The charts of a page: one request for all channels of a window, one uPlot for each, their cursors in step.
// What is drawn is what came: gaps are nulls in the data, and stay open.
import { toast } from "./toasts.js";

const POINTS = { least: 400, most: 2000, pixelsEach: 3 }; // of every so many pixels first, last, lowest, highest
const STATE_SERIES = 6;
const SEVERAL = "several";
const drawn = new Map(); // the charts' container -> its uPlots

function resolved(colour) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${colour})`;
  document.body.append(probe);
  const rgb = getComputedStyle(probe).color;
  probe.remove();
  return rgb;
}

const faded = (rgb, alpha) => rgb.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${alpha})`);
const least = (values) => values.reduce((one, other) => Math.min(one, other));
const greatest = (values) => values.reduce((one, other) => Math.max(one, other));
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

function shown(value, unit) {
  if (value == null) return "–";
  return typeof value === "number" ? `${plain.format(value)}${unit ? ` ${unit}` : ""}` : value;
}

function clock(zone) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return (seconds) => format.format(new Date(seconds * 1000));
}

async function asked(address, points, signal) {
  if (!address) return null;
  const answer = await fetch(`${address}&points=${points}`, { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.detail || `The server answered ${answer.status}.`);
  }
  return answer.json();
}

async function draw(charts) {
  const { series, before, zone } = charts.dataset;
  const span = [Date.parse(charts.dataset.since) / 1000, Date.parse(charts.dataset.until) / 1000];
  const width = charts.querySelector("[data-plot]").clientWidth;
  const points = Math.min(Math.max(4 * Math.round(width / POINTS.pixelsEach), POINTS.least), POINTS.most);
  const going = new AbortController();
  drawn.set(charts, { plots: [], going });
  try {
    const [now, then] = await Promise.all([asked(series, points, going.signal), asked(before, points, going.signal)]);
    if (!charts.isConnected) return;
    drawn.get(charts).plots = [...charts.querySelectorAll("[data-chart]")].map((figure, index) =>
      plotted(figure, index, now.channels[figure.dataset.chart], then?.channels[figure.dataset.chart], { span, zone, charts, bucketSeconds: now.bucket_seconds ?? 0 }),
    );
    foot(charts, now, then);
    charts.dataset.ready = "yes";
  } catch (error) {
    if (error.name === "AbortError") return;
    for (const wait of charts.querySelectorAll("[data-wait]")) said(wait, "Could not be loaded");
    toast(`The charts could not be loaded. ${error.message}`, "error");
  }
}

function said(wait, text) {
  wait.classList.remove("loading");
  wait.textContent = text;
}

function foot(charts, answer, earlier) {
  const place = charts.parentElement.querySelector("[data-foot]");
  const parts = [`${plain.format(answer.rows)} readings.`];
  if (answer.thinned) {
    parts.push("Thinned for the screen: of every few pixels the first, the last, the lowest and the highest are kept.");
  }
  if (answer.gap_seconds) parts.push(`Lines are open where nothing came for more than ${duration(answer.gap_seconds)}.`);
  if (earlier) parts.push(earlier.rows ? "Dashed: the window before." : "Nothing came in the window before.");
  place.textContent = [...parts, "Drag over a chart to zoom into it."].join(" ");
}

function duration(seconds) {
  const [size, name] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= size) ?? [1, "s"];
  return `${plain.format(Math.round((seconds / size) * 10) / 10)} ${name}`;
}

function plotted(figure, index, channel, earlier, { span, zone, charts, bucketSeconds }) {
  const plot = figure.querySelector("[data-plot]");
  const wait = figure.querySelector("[data-wait]");
  const values = channel.values.filter((value) => value != null);
  if (!values.length && !earlier?.values.some((value) => value != null)) {
    if (wait) said(wait, "No value in this window");
    return null;
  }
  const numeric = Boolean(figure.dataset.numeric);
  const look = { ink: resolved("muted"), line: resolved("line"), colour: resolved(`series-${(index % STATE_SERIES) + 1}`) };
  const at = clock(zone);
  const read = figure.querySelector("[data-read]");
  const summary = numeric && values.length
    ? `${plain.format(least(values))} to ${shown(greatest(values), channel.unit)}, last ${shown(values.at(-1), channel.unit)}`
    : `last ${shown(values.at(-1), channel.unit)}`;
  read.textContent = summary;
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${channel.label}: ${summary}`);

  const tables = [[channel.times, numeric ? channel.values : channel.values.map((value) => (value == null ? null : 0))]];
  if (numeric && earlier) tables.push([earlier.times.map((time) => time + span[1] - span[0]), earlier.values]);
  const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
  const options = {
    width: plot.clientWidth,
    height: plot.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    padding: [8, 24, 0, 0],
    cursor: { sync: { key: "window" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
    scales: { x: { time: true, range: () => span }, y: numeric ? {} : { range: [0, 1] } },
    axes: [
      { stroke: look.ink, grid: { stroke: look.line, width: 1 }, ticks: { stroke: look.line, width: 1, size: 4 }, font: "12px system-ui", space: 70, size: 44, values: times(span, zone) },
      { show: numeric, stroke: look.ink, grid: { stroke: look.line, width: 1 }, ticks: { show: false }, font: "12px system-ui", size: 58, values: (u, splits) => splits.map((split) => plain.format(split)) },
    ],
    series: [
      {},
      numeric
        ? { stroke: look.colour, width: 1.5, fill: faded(look.colour, 0.08), points: alone(look.colour) }
        : { paths: () => null, points: { show: false } },
      ...(tables.length > 1 ? [{ stroke: look.ink, width: 1, dash: [5, 4], points: { show: false } }] : []),
    ],
    hooks: {
      setSelect: [(u) => zoomed(u, charts)],
      setCursor: [(u) => told(read, u, channel, at, summary)],
      draw: numeric ? [] : [(u) => bands(u, channel, span, bucketSeconds)],
    },
  };
  if (!numeric) {
    options.padding = [4, 24, 0, 58];
  }
  const made = new uPlot(options, data, plot);
  wait?.remove(); // not before: where drawing fails, it says so
  touched(made, charts);
  const watch = new ResizeObserver(() => made.setSize({ width: plot.clientWidth, height: plot.clientHeight }));
  watch.observe(plot);
  return { destroy: () => (watch.disconnect(), made.destroy()) };
}

// Ticks by the clock of 24 hours; the date where a day begins.
function times([since, until], zone) {
  const pad = (number) => String(number).padStart(2, "0");
  const seconds = until - since < 600;
  return (u, splits) =>
    splits.map((split, index) => {
      const at = uPlot.tzDate(new Date(split * 1000), zone);
      const day = `${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
      const hour = `${pad(at.getHours())}:${pad(at.getMinutes())}${seconds ? `:${pad(at.getSeconds())}` : ""}`;
      if (at.getHours() + at.getMinutes() + at.getSeconds() === 0) return until - since > 40 * 86400 ? `${at.getFullYear()}-${day}` : day;
      return index === 0 ? `${hour}\n${day}` : hour;
    });
}

// A sample between two gaps has no line to be seen on: it gets a dot.
function alone(colour) {
  return {
    show: true,
    size: 4,
    fill: colour,
    filter: (u, seriesIndex) => {
      const values = u.data[seriesIndex];
      const near = (index, step) => {
        for (let i = index + step; i >= 0 && i < values.length; i += step) if (values[i] !== undefined) return values[i];
        return null;
      };
      const found = [];
      for (let i = 0; i < values.length; i++) if (values[i] != null && near(i, -1) === null && near(i, 1) === null) found.push(i);
      return found;
    },
  };
}

// A state holds until the next one, and over a gap no longer than it was told; each has its own colour and, where
// there is room, its name. Where thinning left one of several, it says so.
function bands(u, channel, [since, until], bucketSeconds) {
  const { ctx } = u;
  const { times } = channel;
  const states = channel.values.map((value, index) => (channel.several?.[index] ? SEVERAL : value));
  const names = [...new Set(channel.values.filter((value) => value != null))].sort();
  const colours = Object.fromEntries(names.map((name, index) => [name, resolved(`series-${(index % STATE_SERIES) + 1}`)]));
  colours[SEVERAL] = resolved("strong-line");
  const ink = resolved("ink");
  const { top, height } = u.bbox;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui`;
  ctx.textBaseline = "middle";
  let start = 0;
  for (let i = 1; i <= times.length; i++) {
    if (i < times.length && states[i] === states[start]) continue;
    if (states[start] != null) {
      const told = times[i - 1] + bucketSeconds;
      const end = states[i] == null ? Math.min(told, times[i] ?? until) : times[i];
      const from = u.valToPos(Math.max(times[start], since), "x", true);
      const to = Math.max(u.valToPos(Math.min(end, until), "x", true), from + ratio);
      ctx.fillStyle = faded(colours[states[start]], 0.4);
      ctx.fillRect(from, top, to - from, height);
      const text = String(states[start]);
      if (to - from > ctx.measureText(text).width + 8 * ratio) {
        ctx.fillStyle = ink;
        ctx.fillText(text, from + 4 * ratio, top + height / 2);
      }
    }
    start = i;
  }
  ctx.restore();
}

function told(read, u, channel, at, summary) {
  const { idx, left } = u.cursor;
  if (idx == null || left < 0) {
    read.textContent = summary;
    return;
  }
  const time = u.posToVal(left, "x");
  const index = channel.type === "text" ? latest(channel, time) : nearest(channel, time);
  const bold = document.createElement("b");
  bold.textContent = index < 0 ? "no value" : shown(channel.values[index], channel.unit);
  read.replaceChildren(`${at(index < 0 ? time : channel.times[index])}  `, bold);
}

// Of a state the one that holds then; -1 in a gap.
function latest({ times, values }, time) {
  let index = -1;
  while (index + 1 < times.length && times[index + 1] <= time) index++;
  return index >= 0 && values[index] == null ? -1 : index;
}

function nearest({ times, values }, time) {
  let best = -1;
  for (let i = 0; i < times.length; i++) {
    if (values[i] == null) continue;
    if (best < 0 || Math.abs(times[i] - time) < Math.abs(times[best] - time)) best = i;
    else if (times[i] > time) break;
  }
  return best;
}

// What was dragged over becomes the window, by way of the address: the page's links do the same.
function zoomed(u, charts) {
  if (u.select.width < 4 || charts.dataset.zooming) return; // the other charts, in step, hear of it too
  charts.dataset.zooming = "yes";
  const [since, until] = [u.select.left, u.select.left + u.select.width].map((left) => u.posToVal(left, "x"));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const query = new URLSearchParams(location.search);
  for (const name of ["window", "page"]) query.delete(name);
  query.set("since", new Date(since * 1000).toISOString());
  query.set("until", new Date(Math.max(until, since + 1) * 1000).toISOString());
  const link = document.createElement("a");
  link.href = `${location.pathname}?${query}`;
  charts.append(link); // where it inherits how its page is swapped in, and goes with what it replaces
  htmx.process(link);
  link.click();
}

// uPlot hears a mouse alone. A finger that moves sideways is one to it; up and down it scrolls the page (see the sheet).
function touched(u, charts) {
  const mouse = (type, target) => (event) => {
    if (event.pointerType === "mouse") return;
    if (event.type === "pointercancel") charts.dataset.zooming = "yes"; // it became a scroll: what was begun means nothing
    const { clientX, clientY } = event;
    const moved = { movementX: event.movementX || 1 }; // without which uPlot takes it for a stray one
    target.dispatchEvent(new MouseEvent(type, { clientX, clientY, ...moved, button: 0, buttons: 1, bubbles: true }));
    if (event.type === "pointercancel") delete charts.dataset.zooming;
  };
  u.over.addEventListener("pointerdown", mouse("mousedown", u.over));
  u.over.addEventListener("pointermove", mouse("mousemove", u.over));
  u.over.addEventListener("pointerup", mouse("mouseup", document));
  u.over.addEventListener("pointercancel", mouse("mouseup", document));
}

function begin() {
  for (const [charts, { plots, going }] of drawn) {
    if (charts.isConnected) continue;
    going.abort();
    for (const plot of plots) plot?.destroy();
    drawn.delete(charts);
  }
  for (const charts of document.querySelectorAll("[data-charts]")) if (!drawn.has(charts)) draw(charts);
}

function again() {
  for (const [charts, { plots, going }] of [...drawn]) { // a copy: what is drawn anew is put in again
    going.abort();
    for (const plot of plots) plot?.destroy();
    drawn.delete(charts);
    draw(charts);
  }
}

begin();
document.addEventListener("htmx:load", begin);
document.addEventListener("htmx:afterRequest", () => {
  for (const charts of drawn.keys()) delete charts.dataset.zooming;
});
document.addEventListener("theme", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
