// A file on its way to the server: in chunks, several at once, only those that are not there yet, until its report
// is there. Knows nothing of the page; tells of each change by a "change" event.
import { ask, insist, pause } from "./requests.js";

const CHUNK = 1 << 20;
const AT_ONCE = 3;
const RATE_MS = 6000; // the speed shown is that of the last few seconds
const LOOK_MS = { first: 300, growth: 1.5, most: 5000 };
const PAUSED_LOOK_MS = 400;

export const Phase = Object.freeze({
  WAITING: "waiting",
  SENDING: "sending",
  LOST: "lost",
  PAUSED: "paused",
  LOADING: "loading",
  DONE: "done",
  FAILED: "failed",
  STOPPED: "stopped",
});
const ON_ITS_WAY = new Set([Phase.WAITING, Phase.SENDING, Phase.LOST, Phase.PAUSED]);

export const fingerprintOf = (file) => `${file.size}-${file.lastModified}`;
// What reading a file fails with where it has changed since it was chosen, has gone, or is a folder.
export const isUnreadable = (error) => error.name === "NotReadableError" || error.name === "NotFoundError";
export const chunksOf = (file) => Math.max(1, Math.ceil(file.size / CHUNK));

export class Sending extends EventTarget {
  #calls = new AbortController();
  #loaded = new Map(); // chunk -> bytes of it that are on their way
  #samples = [];

  // `addresses`: chunk, finalize, uploads. `fields`: what names the upload besides the file. `here`: ranges of chunks
  // that have come before.
  constructor(file, { addresses, fields, here = [] }) {
    super();
    Object.assign(this, { file, addresses, phase: Phase.WAITING, problem: "", id: null, report: null, progress: null });
    this.total = chunksOf(file);
    this.fields = { file_name: file.name, total_chunks: this.total, fingerprint: fingerprintOf(file), ...fields };
    this.here = new Set(here.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, step) => first + step)));
  }

  get isOnItsWay() {
    return ON_ITS_WAY.has(this.phase);
  }

  get bytes() {
    let sum = 0;
    for (const index of this.here) sum += this.#size(index);
    for (const [index, loaded] of this.#loaded) if (!this.here.has(index)) sum += Math.min(loaded, this.#size(index));
    return sum;
  }

  // Bytes a second; 0 while that is not known.
  get rate() {
    const now = performance.now();
    this.#samples.push([now, this.bytes]);
    while (this.#samples[0][0] < now - RATE_MS) this.#samples.shift();
    const [since, before] = this.#samples[0];
    return now - since < 500 ? 0 : (1000 * Math.max(0, this.bytes - before)) / (now - since);
  }

  // Sends what is missing and sees the file loaded. Never throws: the phase says how it ended.
  async run() {
    this.#calls = new AbortController();
    this.#samples = [];
    this.problem = "";
    try {
      await this.#sendMissing();
      await this.#follow(await this.#finalize());
    } catch (error) {
      if (this.phase === Phase.STOPPED) return;
      this.#calls.abort(error); // the other chunks need not go on
      this.problem = isUnreadable(error) ? "The file has changed, or cannot be read any more. Choose it again." : error.message;
      this.#turn(Phase.FAILED);
    }
  }

  pause() {
    if (this.phase === Phase.SENDING || this.phase === Phase.LOST) this.#turn(Phase.PAUSED);
  }

  resume() {
    if (this.phase !== Phase.PAUSED) return;
    this.#samples = [];
    this.#turn(Phase.SENDING);
  }

  // Calls all off, and has the server forget what has come.
  async stop() {
    this.#turn(Phase.STOPPED);
    this.#calls.abort(new DOMException("called off", "AbortError"));
    if (this.id) await ask("DELETE", this.#place(this.id)).catch(() => {}); // the unfinished ones are listed
  }

  async #sendMissing() {
    this.#turn(Phase.SENDING);
    const missing = Array.from({ length: this.total }, (_, index) => index).filter((index) => !this.here.has(index));
    const worker = async () => {
      while (missing.length) {
        while (this.phase === Phase.PAUSED) await pause(PAUSED_LOOK_MS, this.#calls.signal);
        const index = missing.shift();
        if (index !== undefined) await this.#sendChunk(index);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    while (this.phase === Phase.PAUSED) await pause(PAUSED_LOOK_MS, this.#calls.signal);
  }

  async #sendChunk(index) {
    const chunk = this.file.slice(index * CHUNK, (index + 1) * CHUNK);
    await chunk.slice(0, 1).arrayBuffer(); // says whether the file can still be read, as no failed request does
    const answer = await this.#insist(() => {
      const form = this.#form({ chunk_index: index });
      form.append("chunk", chunk, "chunk");
      this.#loaded.set(index, 0);
      return ask("POST", this.addresses.chunk, { form, signal: this.#calls.signal, progress: (loaded) => this.#loaded.set(index, loaded) });
    });
    this.#loaded.delete(index);
    this.here.add(index);
    this.id = answer.id;
    if (this.phase === Phase.LOST) this.#turn(Phase.SENDING);
  }

  async #finalize() {
    this.#turn(Phase.LOADING);
    try {
      return await this.#insist(() => ask("POST", this.addresses.finalize, { form: this.#form(), headers: { Prefer: "respond-async" }, signal: this.#calls.signal }));
    } catch (error) {
      const lost = error.body?.missing_chunks;
      if (!lost) throw error;
      for (const index of lost) this.here.delete(index); // they expired, or were discarded elsewhere
      await this.#sendMissing();
      return this.#finalize();
    }
  }

  async #follow(told) {
    this.id = told.id;
    for (let wait = LOOK_MS.first; told.status === "running" || told.status === "receiving"; wait = Math.min(wait * LOOK_MS.growth, LOOK_MS.most)) {
      this.progress = told.progress ?? null;
      this.#turn(Phase.LOADING);
      await pause(wait, this.#calls.signal);
      told = await this.#insist(() => ask("GET", this.#place(this.id), { signal: this.#calls.signal }));
    }
    if (told.status === "failed") throw new Error(told.detail);
    this.report = told.report ?? told; // finalize itself may have answered with it
    this.#turn(Phase.DONE);
  }

  #insist(attempt) {
    const back = this.phase === Phase.LOADING ? Phase.LOADING : Phase.SENDING;
    const lost = (error) => {
      if (this.phase === Phase.PAUSED || this.phase === Phase.STOPPED) return;
      this.problem = error?.status ? error.message : "";
      this.#turn(error ? Phase.LOST : back);
    };
    return insist(attempt, { signal: this.#calls.signal, lost });
  }

  #form(more = {}) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...this.fields, ...more })) form.append(name, value);
    return form;
  }

  #size(index) {
    return index < this.total - 1 ? CHUNK : this.file.size - index * CHUNK;
  }

  #place(id) {
    const [path, query] = this.addresses.uploads.split("?");
    return `${path}${id}/${query ? `?${query}` : ""}`;
  }

  #turn(phase) {
    this.phase = phase;
    this.dispatchEvent(new Event("change"));
  }
}
