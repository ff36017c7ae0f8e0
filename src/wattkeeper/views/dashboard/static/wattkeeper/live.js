// The one connection of a page that names it: `data-live="ADDRESS"`. What the server tells becomes `live:frame` on the
// document, with the frame as its detail; `live:refetch` says that all that is shown is to be asked for anew. The state
// is `data-live-state` of the page's root, for which the sheet shows a word in the strip at the top.
// A page with `data-live-all` on it is told of all things, any other of the `[data-asset]` that it shows: for such a page
// the server begins with how they are, so that its first `live:refetch` (`isFirst`) is for all else.
const SILENCE_MS = 45_000; // the server says something every 20 s
const WAITS_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
const REFETCH_MS = 30_000;
const LOOK_MS = 5000;
const NOT_LOGGED_IN = 4401;
const TITLES = {
  connecting: "Connecting.",
  live: "What happens is shown as it happens. Click to pause.",
  polling: "The live connection is down: the page asks anew every 30 s, and tries to connect again. Click to pause.",
  paused: "The page stays as it is. Click to go on.",
  over: "You have been logged out.",
};

const root = document.documentElement;
const place = document.querySelector("[data-live]");
let socket = null;
let isGreeted = false;
let heard = 0; // when the server last said something, or the connection was asked for
let seen = ""; // the id of the newest frame
let tries = 0;
let next = 0; // the timer of the next try
let watched = null;
let isPaused = false;
let isOver = false;

const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

function refetch(isFirst = false) {
  if (!isPaused) say("live:refetch", { isFirst });
}

function show() {
  const state = isOver ? "over" : isPaused ? "paused" : isGreeted ? "live" : tries ? "polling" : "connecting";
  root.dataset.liveState = isOver ? "paused" : state;
  for (const button of document.querySelectorAll("[data-live-toggle]")) button.title = TITLES[state];
}

const isAll = () => Boolean(document.querySelector("[data-live-all]"));

// Their ids, with commas between them; or all.
function things() {
  if (isAll()) return "all";
  const ids = new Set([...document.querySelectorAll("[data-asset]")].map((one) => Number(one.dataset.asset)));
  return [...ids].sort((one, other) => one - other).join(",");
}

function connect() {
  clearTimeout(next);
  if (isOver || socket) return;
  const address = new URL(place.dataset.live, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  watched = things();
  if (!isAll()) address.searchParams.set("assets", watched);
  if (seen) address.searchParams.set("after", seen);
  const opened = new WebSocket(address);
  [socket, isGreeted, heard] = [opened, false, Date.now()];
  opened.addEventListener("message", (event) => opened === socket && hear(JSON.parse(event.data)));
  opened.addEventListener("close", (event) => opened === socket && lose(event.code));
}

function hear(frame) {
  const isFirst = !seen;
  [heard, seen] = [Date.now(), frame.id ?? seen]; // an error has none
  if (frame.type === "hello") {
    [isGreeted, tries] = [true, 0];
    show();
    watch();
    // What happened between the page's making and now is in no frame.
    if (isFirst || !frame.resumed) refetch(isFirst && !isAll());
  } else if (frame.type === "resync") {
    refetch();
  } else if (frame.type !== "alive" && !isPaused) {
    say("live:frame", frame);
  }
}

function lose(code) {
  [socket, isGreeted, isOver] = [null, false, code === NOT_LOGGED_IN];
  const wait = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)];
  tries += 1;
  show();
  if (isOver) refetch(); // which sends whoever looks on to the login
  else next = setTimeout(connect, wait * (0.5 + Math.random() / 2)); // not all browsers at once
}

function drop() {
  const dead = socket;
  if (!dead) return;
  lose(0);
  dead.close();
}

// The page shows other things than before.
function watch() {
  const wanted = things();
  if (!isGreeted || wanted === watched) return;
  watched = wanted;
  socket.send(JSON.stringify({ type: "watch", assets: isAll() ? null : wanted.split(",").filter(Boolean).map(Number) }));
}

function toggle() {
  if (isOver) return location.reload();
  isPaused = !isPaused;
  show();
  refetch(); // what came in the meantime was passed over
}

function leave() {
  const left = socket;
  socket = null; // nobody hears any more that it closes
  clearTimeout(next);
  if (left?.readyState === WebSocket.OPEN) left.close(); // the browser ends one that is not open yet, and says nothing
}

function begin() {
  show();
  connect();
  setInterval(() => socket && Date.now() - heard > SILENCE_MS && drop(), LOOK_MS);
  setInterval(() => !isGreeted && !isOver && refetch(), REFETCH_MS);
  addEventListener("online", () => {
    if (isGreeted) return;
    tries = 0;
    drop();
    connect();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("htmx:load", watch);
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-live-toggle]")) toggle();
    if (target.closest("[data-refresh]")) say("live:refetch", { isWished: true });
  });
}

if (place) begin();
