// One chart: a uPlot for a channel's line, made when there is something to draw and given what is newer in place.
// What is drawn is what came: gaps are nulls in the data, and stay open.
import { bands } from "./bands.js";
import { value } from "./figures.js";
import { touched, zoomed } from "./gestures.js";
import { faded, resolved } from "./looks.js";
import { clock, told, withUnit } from "./readout.js";

const COLOURS = 6;
const least = (values) => values.reduce((one, other) => Math.min(one, other));
const greatest = (values) => values.reduce((one, other) => Math.max(one, other));

// `update({channel, earlier, span, bucketSeconds})` draws what these are now; `earlier` is the line of the window before.
export function plotOf(figure, index, { charts, zone }) {
  const place = figure.querySelector("[data-plot]");
  const numeric = Boolean(figure.dataset.numeric);
  const words = JSON.parse(figure.dataset.words ?? "{}"); // of states, by their names
  const worded = (channel) => (numeric ? channel : { ...channel, values: channel.values.map((known) => words[known] ?? known) });
  const shown = {};
  let made = null;
  let watch = null;

  function update({ channel, ...newest }) {
    Object.assign(shown, newest, { channel: worded(channel) });
    const values = shown.channel.values.filter((known) => known != null);
    if (!made && !values.length && !shown.earlier?.values.some((known) => known != null)) {
      said(figure.querySelector("[data-wait]"), "No value in this window");
      return;
    }
    summarise(values);
    if (made) made.setData(data());
    else make();
  }

  function summarise(values) {
    const { label, unit } = shown.channel;
    const last = `last ${withUnit(values.at(-1), unit)}`;
    shown.summary = numeric && values.length ? `${value(least(values))} to ${withUnit(greatest(values), unit)}, ${last}` : last;
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", `${label}: ${shown.summary}`);
    if (!place.matches(":hover")) figure.querySelector("[data-read]").textContent = shown.summary;
  }

  function data() {
    const { channel, earlier, span } = shown;
    const line = [channel.times, numeric ? channel.values : channel.values.map((known) => (known == null ? null : 0))];
    return earlier && numeric ? uPlot.join([line, [earlier.times.map((time) => time + span[1] - span[0]), earlier.values]]) : line;
  }

  function make() {
    made = new uPlot(options(), data(), place);
    figure.querySelector("[data-wait]")?.remove(); // not before: where drawing fails, it says so
    touched(made, charts);
    watch = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: place.clientHeight }));
    watch.observe(place);
  }

  function options() {
    const look = { ink: resolved("muted"), line: resolved("line"), colour: resolved(`series-${(index % COLOURS) + 1}`) };
    const axis = { stroke: look.ink, grid: { stroke: look.line, width: 1 }, font: "12px system-ui" };
    const read = figure.querySelector("[data-read]");
    const at = clock(zone);
    return {
      width: place.clientWidth,
      height: place.clientHeight,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { show: false },
      padding: numeric ? [8, 24, 0, 0] : [4, 24, 0, 58],
      cursor: { sync: { key: "window" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: true, range: () => shown.span }, y: numeric ? {} : { range: [0, 1] } },
      axes: [
        { ...axis, ticks: { stroke: look.line, width: 1, size: 4 }, space: 70, size: 44, values: (u, splits) => times(splits, shown.span, zone) },
        { ...axis, show: numeric, ticks: { show: false }, size: 58, values: (u, splits) => splits.map(value) },
      ],
      series: [
        {},
        numeric
          ? { stroke: look.colour, width: 1.5, fill: faded(look.colour, 0.08), points: alone(look.colour) }
          : { paths: () => null, points: { show: false } },
        ...(numeric && shown.earlier ? [{ stroke: look.ink, width: 1, dash: [5, 4], points: { show: false } }] : []),
      ],
      hooks: {
        setSelect: [(u) => zoomed(u, charts)],
        setCursor: [(u) => told(read, u, shown.channel, at, shown.summary)],
        draw: numeric ? [] : [(u) => bands(u, shown.channel, shown.span, shown.bucketSeconds)],
      },
    };
  }

  function destroy() {
    watch?.disconnect();
    made?.destroy();
  }

  return { update, destroy };
}

export function said(wait, text) {
  wait.classList.remove("loading");
  wait.textContent = text;
}

// Ticks by the clock of 24 hours; the date where a day begins.
function times(splits, [since, until], zone) {
  const pad = (number) => String(number).padStart(2, "0");
  const seconds = until - since < 600;
  return splits.map((split, index) => {
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
