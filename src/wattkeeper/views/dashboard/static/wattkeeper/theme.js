// Light, dark, or as the system has it. The choice is a cookie, so that the server draws the page right at once.
const ORDER = ["auto", "light", "dark"];
const NAMES = { auto: "As the system has it", light: "Light", dark: "Dark" };
const YEAR_SECONDS = 365 * 24 * 3600;

export function turn() {
  const root = document.documentElement;
  const next = ORDER[(ORDER.indexOf(root.dataset.theme) + 1) % ORDER.length];
  root.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
  name();
  document.dispatchEvent(new CustomEvent("theme"));
}

function name() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.title = button.ariaLabel = `${NAMES[document.documentElement.dataset.theme]}. Change light or dark`;
  }
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) button.addEventListener("click", turn);
name();
