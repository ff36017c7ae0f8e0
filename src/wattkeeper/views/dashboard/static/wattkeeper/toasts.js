// Short news at the page's corner. What went well goes by itself; what did not stays until it is clicked away.
const place = document.getElementById("toasts");
const STAY_MS = 7000;
const ICONS = { success: "check-circle", info: "information-circle", warning: "exclamation-triangle", error: "exclamation-circle" };

export function toast(text, level = "info") {
  if ([...place.children].some((one) => one.textContent === text)) return; // what asks every second fails every second
  const shown = document.getElementById("toast").content.cloneNode(true).firstElementChild;
  const use = shown.querySelector("use");
  use.setAttribute("href", `${use.dataset.sprite}#${ICONS[level]}`);
  shown.classList.add(level);
  shown.querySelector("span").textContent = text;
  place.append(shown);
  keep(shown);
}

function keep(shown) {
  shown.addEventListener("click", () => shown.remove());
  if (!shown.classList.contains("error")) setTimeout(() => shown.remove(), STAY_MS);
}

for (const shown of place.children) keep(shown);

// What an answer's HX-Trigger says.
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));
// What follows by itself says nothing: the live state does, and it is asked for again.
const isAsked = (event) => !event.detail.requestConfig.elt.dataset.follows;

document.addEventListener("htmx:responseError", (event) => {
  if (!isAsked(event)) return;
  const { status } = event.detail.xhr;
  toast(status === 403 ? "You may not do this, or you have been logged out." : `That did not work (${status}). Try again.`, "error");
});
document.addEventListener("htmx:sendError", (event) => isAsked(event) && toast("The server does not answer. Is the connection lost?", "error"));

document.addEventListener("click", (event) => {
  const { toast: level } = event.target.dataset;
  if (level) toast(level === "error" ? "This did not work. Click to close." : "Saved.", level);
});
