// The page of imports: dropped files become cards, each with its preview; what is to be imported is sent one file
// after the other.
import { duration, size, thousands } from "./figures.js";
import { previewOf, rowsSaid, showRows } from "./preview.js";
import { ask, insist } from "./requests.js";
import { chunksOf, fingerprintOf, isUnreadable, Phase, Sending } from "./sending.js";
import { toast } from "./toasts.js";

const TICK_MS = 250;
const PHASES = {
  [Phase.WAITING]: "Waiting for the file before it…",
  [Phase.SENDING]: "Sending…",
  [Phase.LOST]: "Waiting for the server…",
  [Phase.PAUSED]: "Paused. What was sent is kept.",
  [Phase.LOADING]: "All of it is there. The server is loading it…",
};
const OFFERS = {
  [Phase.WAITING]: ["cancel"],
  [Phase.SENDING]: ["pause", "cancel"],
  [Phase.LOST]: ["pause", "cancel"],
  [Phase.PAUSED]: ["resume", "cancel"],
  [Phase.FAILED]: ["retry", "cancel"],
  [Phase.DONE]: ["cancel"],
};
const LOST = "The connection is lost. What was sent is safe, and this goes on by itself as soon as the connection is back.";
const READING = "Reading the first rows…";
const zone = document.querySelector("[data-imports]");
const drop = zone.querySelector("[data-drop]");
const files = document.querySelector("[data-files]");
const cards = new Set();
let last = Promise.resolve(); // the file that is sent after all others

class Card {
  #calls = new AbortController();
  #ticking = 0;

  constructor(file, door, asset) {
    Object.assign(this, { file, door, asset, sending: null, before: null });
    this.root = document.getElementById("file-card").content.cloneNode(true).firstElementChild;
    this.#part("name").textContent = file.name;
    this.#part("facts").textContent = size(file.size);
    this.root.addEventListener("click", (event) => {
      const wanted = event.target.closest("[data-do]")?.dataset.do;
      if (wanted) this[wanted]();
    });
    const named = this.#part("asset");
    const input = named.querySelector("input");
    input.id = `asset-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    named.querySelector("label").htmlFor = input.id;
    input.addEventListener("change", () => {
      this.asset = input.value.trim();
      this.look();
    });
    cards.add(this);
  }

  #part(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  #say(name, text = "") {
    const place = this.#part(name);
    place.hidden = !text;
    (place.querySelector("span") ?? place).textContent = text;
  }

  #offer(...wanted) {
    for (const button of this.root.querySelectorAll("[data-do]")) button.hidden = !wanted.includes(button.dataset.do);
  }

  get #fields() {
    return this.asset ? { [this.door.assetField]: this.asset } : {};
  }

  // How the file is understood, and whether some of it is here already.
  async look() {
    this.#calls.abort();
    const { signal } = (this.#calls = new AbortController());
    this.root.setAttribute("aria-busy", "true");
    this.#say("phase", READING);
    this.#say("problem");
    this.#offer("cancel");
    try {
      const lost = (error) => this.#say("phase", error ? LOST : READING);
      this.before = await insist(() => this.#cameBefore(signal), { signal, lost });
      if (this.before) this.asset = this.before[this.door.assetField];
      const preview = await previewOf(this.file, { address: this.door.preview, fields: this.#fields, signal, lost });
      this.#show(preview);
    } catch (error) {
      if (signal.aborted) return;
      this.#say("phase");
      this.#say("problem", isUnreadable(error) ? "This cannot be read as a file. Is it a folder?" : error.message);
    }
    this.root.removeAttribute("aria-busy");
  }

  // One's own unfinished upload of this file; a warning where there is one of another file of that name.
  async #cameBefore(signal) {
    const address = new URL(this.door.uploads, location);
    for (const [name, value] of Object.entries({ mine: "true", file_name: this.file.name, page_size: 50 })) address.searchParams.set(name, value);
    const { results } = await ask("GET", address, { signal });
    const open = results.filter(({ status }) => status === "receiving" || status === "failed");
    const same = (one) => one.fingerprint === fingerprintOf(this.file) && one.total_chunks === chunksOf(this.file);
    const found = open.find((one) => same(one) && (!this.asset || one[this.door.assetField] === this.asset));
    const other = !found && open.find((one) => one[this.door.assetField] === this.asset);
    this.#say("warning", other ? `Another file of this name is here in part (${size(other.bytes_received)}). Sending this one takes its place.` : "");
    return found ?? null;
  }

  #show(preview) {
    const { assetField, assetLabel } = this.door;
    const onlyAsset = preview.missing_columns.length === 1 && preview.missing_columns[0] === assetField;
    this.#part("facts").textContent = `${size(this.file.size)}, ${rowsSaid(preview.rowsAbout)}`;
    this.#say("phase", preview.loadable ? this.#summary(preview) : "");
    this.#say("problem", preview.problem && !onlyAsset ? `${preview.problem} Nothing of this file can be stored as it is.` : "");
    this.#say("note", this.before ? this.#already() : "");
    const named = this.#part("asset");
    named.hidden = !onlyAsset && (!this.asset || Boolean(this.before));
    named.querySelector("label").textContent = onlyAsset ? `This file has no column ${assetField}. Whose rows are these?` : `All rows are of this ${assetLabel.toLowerCase()}`;
    named.querySelector("input").value = this.asset;
    this.#part("rows").hidden = preview.rows.length === 0;
    showRows(this.#part("rows"), preview);
    this.#offer(...(preview.loadable ? ["send", "cancel"] : ["cancel"]));
    this.root.querySelector("[data-do=send] span").textContent = this.before ? "Go on" : "Import";
    if (onlyAsset) named.querySelector("input").focus();
    else this.#part("name").focus({ preventScroll: true });
    this.root.scrollIntoView({ block: "nearest" });
  }

  #summary(preview) {
    const known = preview.columns.length - preview.ignored_columns.length;
    const ignored = preview.ignored_columns.length ? `, ${preview.ignored_columns.length} ignored` : "";
    const refused = preview.rows.filter((row) => row.refused).length;
    const first = refused ? ` Of the first ${preview.rows.length} rows, ${refused} would be refused; the others are stored.` : "";
    return `${known} column${known === 1 ? "" : "s"} understood${ignored}.${first}`;
  }

  #already() {
    const { bytes_received: here, status } = this.before;
    if (status === "failed") return "All of this file is here; only its load failed.";
    return `${size(here)} of ${size(this.file.size)} are here already. Only the rest is sent.`;
  }

  send() {
    const { chunk, finalize, uploads } = this.door;
    const here = this.before?.received ?? [];
    this.sending = new Sending(this.file, { addresses: { chunk, finalize, uploads }, fields: this.#fields, here });
    this.sending.id = this.before?.id ?? null;
    document.querySelector(`[data-unfinished="${this.before?.id}"]`)?.remove();
    if (!document.querySelector("[data-unfinished]")) document.querySelector("[data-unfinished-all]")?.remove();
    for (const name of ["problem", "warning", "note"]) this.#say(name);
    this.#part("asset").hidden = this.#part("rows").hidden = true;
    this.sending.addEventListener("change", () => this.#tell());
    this.#queue();
  }

  retry() {
    this.#say("problem");
    this.#queue();
  }

  #queue() {
    this.sending.phase = Phase.WAITING;
    this.#tell();
    last = last.then(() => this.sending.phase === Phase.WAITING && this.sending.run());
  }

  pause() {
    this.sending.pause();
    this.root.querySelector("[data-do=resume]").focus();
  }

  resume() {
    this.sending.resume();
    this.root.querySelector("[data-do=pause]").focus();
  }

  cancel() {
    this.#calls.abort();
    clearInterval(this.#ticking);
    cards.delete(this);
    this.root.remove();
    files.hidden = cards.size === 0;
    document.getElementById("files").focus();
    if (!this.sending || this.sending.phase === Phase.DONE) return;
    this.sending.stop();
    toast(`${this.file.name} was discarded.`);
  }

  #tell() {
    const { phase, problem } = this.sending;
    if (phase === Phase.STOPPED) return;
    this.#part("going").hidden = phase === Phase.FAILED || phase === Phase.DONE;
    this.#say("phase", PHASES[phase]);
    this.#say("warning", phase === Phase.LOST ? problem || LOST : "");
    this.#say("problem", phase === Phase.FAILED ? problem : "");
    this.#offer(...(OFFERS[phase] ?? []));
    this.root.querySelector("[data-do=cancel] span").textContent = phase === Phase.DONE ? "Close" : "Cancel";
    this.#figures();
    clearInterval(this.#ticking);
    if (phase === Phase.SENDING || phase === Phase.LOST) this.#ticking = setInterval(() => this.#figures(), TICK_MS);
    if (phase === Phase.DONE) this.#done();
  }

  #figures() {
    const { phase, bytes, rate, progress } = this.sending;
    const bar = this.root.querySelector("progress");
    const loading = phase === Phase.LOADING;
    const done = loading ? (progress?.total ? progress.done / progress.total : null) : this.file.size ? bytes / this.file.size : 0;
    if (done === null) bar.removeAttribute("value");
    else bar.value = done;
    bar.setAttribute("aria-label", loading ? "Loading" : "Sent");
    const parts = loading ? [progress?.text || "Waiting for its turn", "You can leave this page."] : [`${Math.floor(100 * done)} %`, `${size(bytes)} of ${size(this.file.size)}`];
    if (phase === Phase.SENDING && rate) parts.push(`${size(Math.round(rate))}/s`, `${duration((this.file.size - bytes) / rate)} left`);
    this.#part("figures").textContent = parts.join(" · ");
  }

  #done() {
    const { id, report } = this.sending;
    const address = new URL(zone.dataset.page, location);
    address.pathname += `${id}/`;
    if (cards.size === 1) return location.assign(address);
    document.body.dispatchEvent(new Event("imported")); // the list below asks for itself again
    const link = this.#part("report");
    link.href = address;
    link.hidden = false;
    this.#say("phase", `${thousands(report.inserted)} stored, ${thousands(report.refused)} refused${report.duplicates ? `, ${thousands(report.duplicates)} duplicate` : ""}.`);
  }
}

function take(chosen) {
  const streams = zone.querySelector("[data-streams]");
  const door = streams.selectedOptions[0].dataset;
  const asset = document.getElementById("asset").value.trim();
  for (const file of chosen) {
    const card = new Card(file, door, asset);
    files.append(card.root);
    card.look();
  }
  files.hidden = cards.size === 0;
}

document.getElementById("files").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = ""; // so that the same file may be chosen again
});
// A file that misses the place would replace the page: all of the page is the place.
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  drop.classList.remove("over");
  take([...event.dataTransfer.files]);
});
addEventListener("beforeunload", (event) => {
  if ([...cards].some((card) => card.sending?.isOnItsWay)) event.preventDefault();
});
