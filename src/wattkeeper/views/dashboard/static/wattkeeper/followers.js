// A part of a page that follows what happens: an element with an id, `data-follows="SECONDS"` and an htmx request with
// the trigger `due`. It is due so many seconds after its last answer once something was told, later where answers are
// slow, and at once where all is to be asked for anew; with `data-idle="SECONDS"` also when nothing was told for so long,
// since a page may not be told of all. A part with a table of things is due soon after one of them has gone or a new one
// has come. Not while the tab is hidden, nor while somebody is at work in it: rows do not move under a pointer.
// `data-follows-asset="ID"`: only what is told of that thing counts.
const SHARE = 20; // of the time that an answer took: what follows keeps the server busy for a twentieth at most
const LOOK_MS = 500;
const SOON_MS = 1000;
const RESTS_MS = 60_000; // a pointer that has not moved for so long is nobody's
const TOUCHED_MS = 5000; // a finger leaves no pointer
const states = new Map(); // by the part's id, for it is replaced by its own answers

const TABLE = ".table-scroll";
const SIDEWAYS = `${TABLE}, .chart-cards`; // what scrolls so, and stays where it was
const boxes = (part) => [...(part?.querySelectorAll(SIDEWAYS) ?? [])];
const parts = () => document.querySelectorAll("[data-follows]");

function stateOf({ id }) {
  if (!states.has(id)) states.set(id, { told: false, soon: false, now: false, wished: false, asked: 0, answered: performance.now(), took: 0 });
  return states.get(id);
}

// Whose table was pointed at last, or by a finger what one swipes, and until when that counts.
let pointed = { id: "", until: 0 };

function point({ target, pointerType }) {
  const id = target.closest?.(pointerType === "touch" ? SIDEWAYS : TABLE)?.closest("[data-follows]")?.id ?? "";
  pointed = { id, until: performance.now() + (pointerType === "touch" ? TOUCHED_MS : RESTS_MS) };
}

const isPointedAt = ({ id }) => id === pointed.id && performance.now() < pointed.until;

function isBusy(part, state) {
  return part.querySelector("details[open], dialog[open], :focus-visible") || (isPointedAt(part) && !state.wished);
}

function isDue(part, state) {
  if (state.now) return true;
  const rest = performance.now() - state.answered;
  const least = Math.max(state.soon ? SOON_MS : 1000 * part.dataset.follows, SHARE * state.took);
  return rest >= (state.told ? least : Math.max(1000 * (part.dataset.idle ?? Infinity), least));
}

function look() {
  if (document.hidden) return;
  for (const part of parts()) {
    const state = stateOf(part);
    if (state.asked || isBusy(part, state) || !isDue(part, state)) continue;
    Object.assign(state, { told: false, soon: false, now: false, wished: false });
    htmx.trigger(part, "due");
  }
}

function concerns({ dataset: { followsAsset } }, frame) {
  if (!followsAsset) return true;
  const things = Object.values(frame).filter(Array.isArray).flat();
  return things.some((one) => String(one.asset ?? one.id) === followsAsset);
}

// Whether the part shows a thing that has gone, or has a list of things and there is a new one: ids rise.
let highest = 0;

function isNews(part, frame) {
  if (frame.type === "alert_update" || part.dataset.followsAsset) return false;
  const shown = [...part.querySelectorAll("[data-asset]")].map((one) => Number(one.dataset.asset));
  if (!shown.length) return false;
  const most = Math.max(highest, ...shown);
  return idsIn(frame).some((id) => id > most) || frame.removed?.some((id) => shown.includes(id));
}

function idsIn(frame) {
  return Object.entries(frame).flatMap(([name, list]) => (name !== "removed" && Array.isArray(list) ? list : [])).map(({ id }) => id);
}

document.addEventListener("live:frame", ({ detail: frame }) => {
  for (const part of parts()) {
    if (!concerns(part, frame)) continue;
    const state = stateOf(part);
    state.told = true;
    state.soon ||= isNews(part, frame);
  }
  if (frame.type !== "alert_update") highest = Math.max(highest, ...idsIn(frame));
});
document.addEventListener("live:refetch", ({ detail }) => {
  for (const part of parts()) {
    const isPatched = part.dataset.followsAsset || part.querySelector("[data-asset]");
    if (!detail?.isFirst || !isPatched) Object.assign(stateOf(part), { now: true, wished: Boolean(detail?.isWished) });
  }
  look();
});
// A link in the part may have it replaced, too: that goes before.
document.addEventListener("htmx:beforeRequest", ({ detail: { target } }) => {
  if (target.dataset.follows) stateOf(target).asked = performance.now();
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.requestConfig.elt.dataset.follows) return;
  stateOf(detail.target).scrolled = boxes(detail.target).map((box) => box.scrollLeft);
  const { pathname } = new URL(detail.xhr.responseURL);
  if (pathname === new URL(detail.pathInfo.requestPath, location.href).pathname) return;
  detail.shouldSwap = false; // it was sent elsewhere: whoever looks on has been logged out
  location.reload();
});
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  const scrolled = states.get(target.id)?.scrolled ?? [];
  for (const [index, box] of boxes(document.getElementById(target.id)).entries()) box.scrollLeft = scrolled[index] ?? 0;
});
document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig: { target } } }) => {
  const state = target.dataset.follows && states.get(target.id);
  if (!state) return;
  const answered = performance.now();
  Object.assign(state, { answered, took: answered - state.asked, asked: 0 });
});
document.addEventListener("visibilitychange", look);
for (const name of ["pointermove", "pointerdown", "pointercancel", "wheel"]) document.addEventListener(name, point, { passive: true });
document.documentElement.addEventListener("mouseleave", () => (pointed = { id: "", until: 0 }));
setInterval(look, LOOK_MS);
