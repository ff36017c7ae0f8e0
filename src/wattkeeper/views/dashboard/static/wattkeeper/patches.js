// What a page shows of a thing (`data-asset="ID"`) becomes what the server has told of it last: each `data-value="NAME"`
// in it is a figure, a state or a time. Painted in one frame, however much has come; a hidden tab paints nothing, and
// keeps of each thing only the newest.
import { badge } from "./badges.js";
import { value } from "./figures.js";
import { freshen } from "./freshness.js";

const MARKED_MS = 1200;
const LEAST_MS = 100; // between two paintings: nobody reads faster, and what moves on the page meanwhile moves smoothly
const TIMES = new Set(["at", "last_updated"]);
const told = new Map(); // id -> the newest of it
const gone = new Set();
const marked = new Map(); // what has changed -> until when it is marked
const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: document.body.dataset.zone || "UTC", dateStyle: "short", timeStyle: "medium" });
let asked = false;
let painted = 0;

// A kind's update has one list, of things with ids.
function hear({ detail: frame }) {
  if (!frame.type.endsWith("_update") || frame.type === "alert_update") return;
  const things = Object.entries(frame).find(([name, list]) => name !== "removed" && Array.isArray(list))?.[1] ?? [];
  for (const thing of things) told.set(thing.id, { ...told.get(thing.id), ...thing });
  for (const id of frame.removed ?? []) gone.add(id);
  paintSoon();
}

function paintSoon() {
  if (asked || !(told.size || gone.size || marked.size)) return;
  asked = true;
  setTimeout(() => requestAnimationFrame(paint), Math.max(painted + LEAST_MS - performance.now(), 0));
}

function paint(now) {
  asked = false;
  painted = now;
  for (const [id, thing] of told) for (const shown of all(id)) patch(shown, thing, now);
  for (const id of gone) for (const shown of all(id)) shown.classList.add("gone");
  told.clear();
  gone.clear();
  for (const [cell, until] of marked) {
    if (until > now && cell.isConnected) continue;
    cell.classList.remove("changed");
    marked.delete(cell);
  }
  if (marked.size && !asked) setTimeout(paintSoon, MARKED_MS / 4);
}

const all = (id) => document.querySelectorAll(`[data-asset="${Number(id)}"]`);

function patch(shown, thing, now) {
  const at = thing.last_updated ?? thing.at;
  const later = at && shown.dataset.at ? Date.parse(at) - Date.parse(shown.dataset.at) : 1;
  if (later < 0) return; // a newer one is shown already
  if (at) shown.dataset.at = at;
  for (const cell of shown.querySelectorAll("[data-value]")) {
    const name = cell.dataset.value;
    // What only says when it was written was said then, if it is other than what is shown.
    const known = name === "at" ? (thing.at ?? (later > 0 ? at : undefined)) : thing[name];
    if (known === undefined || !change(cell, name, known) || TIMES.has(name)) continue;
    const box = cell.closest("td, .tile") ?? cell;
    box.classList.add("changed");
    marked.set(box, now + MARKED_MS);
  }
}

// Whether the cell says something else now.
function change(cell, name, known) {
  if (TIMES.has(name)) return aged(cell, known);
  if (cell.dataset.badgeOf) return known !== null && badge(cell, known);
  const text = value(known);
  if (cell.textContent === text) return false;
  cell.textContent = text;
  cell.classList.toggle("none", known === null);
  const meter = cell.previousElementSibling;
  if (meter?.matches("meter")) {
    meter.hidden = known === null;
    meter.value = known ?? 0;
  }
  return true;
}

function aged(cell, at) {
  if (!at) return false;
  let time = cell.querySelector("time");
  if (!time) {
    time = document.createElement("time");
    time.dataset.age = "";
    time.dataset.stale = cell.dataset.staleAfter ?? "";
    cell.replaceChildren(time);
  }
  if (time.dateTime === at) return false;
  time.dateTime = at;
  time.title = clock.format(new Date(at));
  freshen(time);
  return true;
}

document.addEventListener("live:frame", hear);
