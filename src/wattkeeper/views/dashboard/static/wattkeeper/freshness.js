// Keeps true how long ago each <time data-age> was; the server has written it first, in the same words. What is older
// than `data-stale` seconds is grey, and the badge of its freshness, where its thing has one, says so.
import { badge } from "./badges.js";

const UNITS = [[60, "s"], [60, "min"], [24, "h"], [Infinity, "d"]];

function age(seconds) {
  let value = Math.max(0, Math.round(seconds));
  for (const [size, name] of UNITS) {
    if (value < size) return `${value} ${name} ago`;
    value = Math.floor(value / size);
  }
  return "";
}

export function freshen(time) {
  const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
  const text = age(seconds);
  if (time.textContent !== text) time.textContent = text;
  if (!time.dataset.stale) return;
  const isStale = seconds > Number(time.dataset.stale);
  time.classList.toggle("stale", isStale);
  const told = time.closest("[data-value]")?.closest("[data-asset]")?.querySelector('[data-badge-of="fresh"]');
  if (told) badge(told, isStale ? "stale" : "now");
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-age]")) freshen(time);
}

refresh();
setInterval(refresh, 5000);
document.addEventListener("htmx:load", refresh);
