// The list of alerts: ticks that outlast its being fetched anew, menus, keys; and when it is fetched.
import { keys } from "./shortcuts.js";
import { toast } from "./toasts.js";

const LEAST_MS = 1000; // between two fetches
const SEEN_MS = 600; // that somebody needs to see that the rows are others
const SLOWER = 4; // so many times as long as the last answer took
const FOR_ALL = "#alerts-bulk, .alerts-do form"; // what is done to all that is ticked
const FIELDS = "input:not([type=checkbox], [type=hidden]), textarea, select";

const outer = document.querySelector("[data-alerts]");
const ticked = new Set();
let newest = Infinity; // the highest id that has been seen: what is above it is news
let focus = null; // where the focus was before the list is replaced
let wanted = false;
let timer = 0;
let posting = 0;
let fetching = null;
let gap = LEAST_MS;
let last = -Infinity;
const pointer = { x: -1, y: -1 }; // where it was last seen
let isOther = false; // under the pointer, which has not moved, there is another alert than before
let changed = -Infinity; // when the rows were last others, or in another order, by themselves

const body = () => document.querySelector("[data-alerts-body]");
const rows = () => [...body().querySelectorAll("[data-alert]")];
const boxes = () => [...body().querySelectorAll("[data-alert-tick]")];

// Ticks

function count() {
  const all = body().querySelector("[data-alerts-all]");
  if (!all) return;
  all.checked = ticked.size > 0 && boxes().every((box) => box.checked);
  all.indeterminate = ticked.size > 0 && !all.checked;
  body().querySelector("[data-alerts-count]").textContent = ticked.size ? `${ticked.size} selected` : "Select all";
}

function tick(box, on) {
  box.checked = on;
  if (on) ticked.add(box.value);
  else ticked.delete(box.value);
}

// Menus: what they unfold is there once, as templates.

function fill(menu) {
  const place = menu.querySelector("[data-alert-fill]");
  place.replaceChildren(body().querySelector(`[data-alert-menu-of="${menu.dataset.alertMenu}"]`).content.cloneNode(true));
  const row = menu.closest("[data-alert]");
  for (const form of place.querySelectorAll("form")) {
    for (const id of row ? [row.dataset.alert] : ticked) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "ids", value: id }));
    }
  }
  window.htmx.process(place);
}

// Before and after the list is replaced, by an answer to a form or by one that was fetched

function leave() {
  const row = document.activeElement?.closest?.("[data-alert]");
  focus = body().contains(document.activeElement) ? { id: document.activeElement.id, row: row?.id, place: rows().indexOf(row) } : null;
}

// After one's own action the focus goes on to what is next. After a change that came by itself it does not: the next
// key would be meant for an alert that is there no more.
function settle({ isOwn = true } = {}) {
  const there = new Map(boxes().map((box) => [box.value, box]));
  const gone = [...ticked].filter((id) => !there.has(id));
  for (const id of gone) ticked.delete(id);
  for (const id of ticked) there.get(id).checked = true;
  if (gone.length && !isOwn) toast(gone.length === 1 ? "One that you had selected asks for nobody any more." : `${gone.length} that you had selected ask for nobody any more.`);
  count();
  tell();
  if (!focus || body().contains(document.activeElement)) return;
  const list = rows();
  const same = [focus.id, focus.row].map((id) => id && document.getElementById(id)).find((one) => one && body().contains(one));
  if (same) return same.focus({ preventScroll: true });
  if (isOwn) return list[Math.min(Math.max(focus.place, 0), list.length - 1)]?.focus({ preventScroll: true });
  place = focus.place - 1; // from where j goes on
  if (focus.row) toast("The alert that you were at asks for nobody any more.");
}

function tell() {
  const fresh = rows().filter((row) => Number(row.dataset.alert) > newest && row.dataset.new);
  newest = Math.max(newest === Infinity ? 0 : newest, ...rows().map((row) => Number(row.dataset.alert)));
  if (fresh.length === 0) return;
  const news = fresh.length === 1 ? `New alert. ${fresh[0].dataset.new}` : `${fresh.length} new alerts. The first: ${fresh[0].dataset.new}`;
  outer.querySelector("[data-alerts-news]").textContent = news;
}

// What is ticked stays in the list, wherever its place in the order would be now.
function keeping(address) {
  if (ticked.size === 0) return address;
  return `${address}${address.includes("?") ? "&" : "?"}keep=${[...ticked].join(",")}`;
}

// Fetching it anew: at once, then at most each second; not while somebody is in the middle of something in it.

const busy = () => posting > 0 || fetching || body().querySelector("details[open]") || body().contains(document.activeElement?.closest?.(FIELDS));

function want() {
  wanted = true;
  go();
}

function go() {
  if (!wanted || timer || busy()) return;
  timer = setTimeout(refetch, Math.max(last + gap - performance.now(), 0));
}

async function refetch() {
  timer = 0;
  if (busy()) return; // `go` is called again when that is over
  wanted = false;
  const asked = performance.now();
  fetching = new AbortController();
  try {
    const answer = await fetch(keeping(body().dataset.address), { signal: fetching.signal, headers: { "HX-Request": "true" } });
    if (answer.redirected) return location.reload(); // logged out
    if (answer.ok) replace(await answer.text());
  } catch {
    // Called off by a form, whose answer is the list; or the server is away, of which the live state tells.
  } finally {
    fetching = null;
    last = performance.now();
    gap = Math.max(LEAST_MS, SLOWER * (last - asked));
    go();
  }
}

function replace(html) {
  if (fetching.signal.aborted || body().querySelector("details[open]") || body().contains(document.activeElement?.closest?.(FIELDS))) {
    wanted = true; // somebody has begun something in the meantime
    return;
  }
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.querySelector("[data-alerts-body]");
  if (!fresh) return;
  leave();
  const before = { order: order(), under: under() };
  body().replaceWith(fresh);
  window.htmx.process(fresh);
  settle({ isOwn: false });
  if (before.order !== order()) changed = performance.now();
  if (before.under !== under()) isOther = true;
}

// Rows that move by themselves, and whoever is just about to press a button of one of them

const order = () => rows().map((row) => row.id).join();
const under = () => document.elementFromPoint(pointer.x, pointer.y)?.closest("[data-alert]")?.id;

function moved({ clientX, clientY }) {
  if (Math.hypot(clientX - pointer.x, clientY - pointer.y) < 4) return;
  Object.assign(pointer, { x: clientX, y: clientY });
  isOther = false;
}

function check(event) {
  const isPressed = event.detail > 0 && event.target.closest("[data-alert] :is(button, summary, input)"); // not by a key
  if (!isPressed || !(isOther || performance.now() - changed < SEEN_MS)) return;
  event.preventDefault();
  event.stopPropagation();
  isOther = false;
  changed = -Infinity;
  toast("The list has just changed. Look which alert this is now, and press again.", "warning");
}

// Keys

const current = () => document.activeElement?.closest?.("[data-alert]");
let place = -1; // where j and k go on from when the focus has left the rows

function step(by) {
  const list = rows();
  if (list.length === 0) return;
  const here = current() ? list.indexOf(current()) : Math.min(place, list.length - 1);
  place = Math.min(Math.max(here + by, 0), list.length - 1);
  list[place].focus();
  list[place].scrollIntoView({ block: "nearest" });
}

function acknowledge() {
  if (!body().querySelector("[data-alerts-all]")) return toast("Your role may look at alerts, not take care of them.");
  const button = ticked.size ? document.getElementById("alerts-acknowledge") : current()?.querySelector("[data-acknowledges]");
  if (button) button.click();
  else if (current()) toast("It is acknowledged already.");
  else toast("Go to an alert with j and k, or tick some with x; then a acknowledges.");
}

function toggle() {
  const box = current()?.querySelector("[data-alert-tick]");
  if (!box) return;
  tick(box, !box.checked);
  count();
}

// Whether a request is for the list; a menu may search for people.
const isList = ({ target }) => target?.id === "alerts-body";

if (outer) {
  keys.set("j", () => step(1));
  keys.set("k", () => step(-1));
  keys.set("ArrowDown", () => current() ? step(1) : false);
  keys.set("ArrowUp", () => current() ? step(-1) : false);
  keys.set("x", toggle);
  keys.set("a", acknowledge);

  outer.addEventListener("change", (event) => {
    if (event.target.matches("[data-alert-tick]")) tick(event.target, event.target.checked);
    if (event.target.matches("[data-alerts-all]")) for (const box of boxes()) tick(box, event.target.checked);
    count();
  });
  outer.addEventListener("toggle", (event) => {
    if (event.target.matches("[data-alert-menu][open]")) fill(event.target);
    else go();
  }, true);
  outer.addEventListener("focusout", () => setTimeout(go)); // when the focus is where it goes
  document.addEventListener("pointermove", moved);
  document.addEventListener("pointerdown", moved);
  outer.addEventListener("click", check, true);
  outer.addEventListener("htmx:configRequest", ({ detail }) => {
    if (isList(detail) && !detail.elt.matches(FOR_ALL)) detail.path = keeping(detail.path);
  });
  outer.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (!isList(detail)) return;
    posting += 1;
    fetching?.abort(); // it would show what was before
  });
  outer.addEventListener("htmx:beforeSwap", ({ detail }) => isList(detail) && leave());
  outer.addEventListener("htmx:afterSwap", ({ detail }) => isList(detail) && settle());
  document.addEventListener("htmx:afterRequest", (event) => {
    if (posting === 0 || !isList(event.detail)) return;
    posting -= 1;
    if (event.detail.successful && event.detail.requestConfig.elt.matches(FOR_ALL)) {
      for (const box of boxes()) tick(box, false); // it is done to them
      ticked.clear();
      count();
    }
    go();
  });
  document.addEventListener("live:refetch", want);
  document.addEventListener("live:frame", (event) => {
    if (event.detail.type === "alert_update") want();
  });
  settle();
}
