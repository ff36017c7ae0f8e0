// What a chart says in words: of all of it, or of the moment that is pointed at.
import { value } from "./figures.js";

export const withUnit = (known, unit) => (typeof known === "number" && unit ? `${value(known)} ${unit}` : value(known));

export function clock(zone) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return (seconds) => format.format(new Date(seconds * 1000));
}

export function told(read, u, channel, at, summary) {
  const { idx, left } = u.cursor;
  if (idx == null || left < 0) {
    read.textContent = summary;
    return;
  }
  const time = u.posToVal(left, "x");
  const index = channel.type === "text" ? latest(channel, time) : nearest(channel, time);
  const bold = document.createElement("b");
  bold.textContent = index < 0 ? "no value" : withUnit(channel.values[index], channel.unit);
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

// 5400 as "1.5 h".
export function lasting(seconds) {
  const [size, name] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= size) ?? [1, "s"];
  return `${value(Math.round((seconds / size) * 10) / 10)} ${name}`;
}
