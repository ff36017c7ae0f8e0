// Requests to the API that survive a lost connection: what may pass is tried again, with growing waits, until it is
// answered or called off. Uploads tell how far they are, which `fetch` cannot.
const WAITS_MS = [1000, 2000, 4000, 8000, 15000];
const PASSES = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

export class Trouble extends Error {
  constructor(status, body, retryAfter) {
    super(sentence(status, body));
    Object.assign(this, { status, body, retryAfter, passes: PASSES.has(status) });
  }
}

function sentence(status, body) {
  if (status === 0) return "The server does not answer.";
  if (status === 401 || status === 403) return "You are logged out, or may not do this. Log in again in another tab, then try again.";
  if (body?.detail) return body.detail;
  const field = Object.entries(body ?? {}).find(([, value]) => Array.isArray(value) && typeof value[0] === "string");
  if (field) return field[0] === "file_name" || field[0] === "head" ? field[1][0] : `${field[0]}: ${field[1][0]}`;
  return `The server answered ${status}.`;
}

function token() {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// One request. Gives its JSON; throws a Trouble, or the signal's reason where it was called off.
export function ask(method, address, { form, headers = {}, signal, progress } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open(method, address);
    for (const [name, value] of Object.entries({ Accept: "application/json", "X-CSRFToken": token(), ...headers })) {
      request.setRequestHeader(name, value);
    }
    if (progress) request.upload.onprogress = (event) => progress(event.loaded);
    request.onloadend = () => {
      signal?.removeEventListener("abort", abort);
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body);
      else if (signal?.aborted) reject(signal.reason);
      else reject(new Trouble(request.status, body, 1000 * Number(request.getResponseHeader("Retry-After")) || 0));
    };
    signal?.addEventListener("abort", abort);
    request.send(form);
  });
}

// Until it is answered. `lost` hears of each try that failed and may yet succeed, and of null when one did.
export async function insist(attempt, { signal, lost = () => {} } = {}) {
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await attempt();
      if (tries) lost(null);
      return answer;
    } catch (error) {
      if (!(error instanceof Trouble) || !error.passes) throw error;
      lost(error);
      await pause(Math.max(error.retryAfter, WAITS_MS[Math.min(tries, WAITS_MS.length - 1)]), signal);
    }
  }
}

// Until the time is over, or the connection is back; throws where it is called off.
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (settle) => () => {
      clearTimeout(timer);
      removeEventListener("online", woken);
      signal?.removeEventListener("abort", stopped);
      settle();
    };
    const woken = end(resolve);
    const stopped = end(() => reject(signal.reason));
    const timer = setTimeout(woken, milliseconds);
    addEventListener("online", woken);
    signal?.addEventListener("abort", stopped);
    if (signal?.aborted) stopped();
  });
}
