// A channel of states, drawn as coloured stretches of time.
import { faded, resolved } from "./looks.js";

const STATE_SERIES = 6;
const SEVERAL = "several";

// A state holds until the next one, and over a gap no longer than it was told; each has its own colour and, where
// there is room, its name. Where thinning left one of several, it says so.
export function bands(u, channel, [since, until], bucketSeconds) {
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
  ctx.textAlign = "left"; // the axes leave another
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
