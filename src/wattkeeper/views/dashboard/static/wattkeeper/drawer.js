// On a phone the bar at the side is a drawer: opened by its button, closed by Esc, by a touch beside it or by a link.
const drawer = document.querySelector("[data-drawer]");
const button = document.querySelector("[data-drawer-toggle]");
let veil = null;

function set(open) {
  drawer.classList.toggle("open", open);
  button.setAttribute("aria-expanded", String(open));
  for (const other of document.querySelectorAll("main, .top")) other.inert = open;
  veil?.remove();
  veil = null;
  if (open) {
    veil = document.createElement("div");
    veil.className = "bar-veil";
    veil.addEventListener("click", () => set(false));
    document.body.append(veil);
    drawer.querySelector("nav a")?.focus();
  } else {
    button.focus();
  }
}

if (drawer && button) {
  button.addEventListener("click", () => set(!drawer.classList.contains("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drawer.classList.contains("open")) set(false);
  });
}
