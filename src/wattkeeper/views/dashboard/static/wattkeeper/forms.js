// A form marked `data-submits` sends itself when a choice changes; one of filters leaves out what is empty, and of a
// group `data-all-is-none` everything where all is chosen, so that addresses stay short; a form that writes cannot be sent twice by a double click.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits]");
  if (form && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get") {
    for (const input of form.elements) if (input.name && input.value === "") input.disabled = true;
    for (const group of form.querySelectorAll("[data-all-is-none]")) {
      const boxes = [...group.querySelectorAll("input[type=checkbox]")];
      if (boxes.every((box) => box.checked)) for (const box of boxes) box.disabled = true;
    }
    setTimeout(() => { for (const input of form.elements) input.disabled = false; });
  } else if (form.matches("[hx-post]")) {
    return; // htmx sees to it
  } else if (form.dataset.sent) {
    event.preventDefault();
  } else {
    form.dataset.sent = "yes";
    window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
  }
});
// A form marked `data-again` is shown again with what is wrong in it, but for the inputs that stay as they are. An answer
// of another page, such as the log-in, is gone to.
const isAgain = ({ requestConfig }) => requestConfig.elt.matches("form[data-again]");
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isAgain(detail)) return;
  const { status, responseURL } = detail.xhr;
  if (status === 422) {
    Object.assign(detail, { shouldSwap: true, isError: false });
  } else if (responseURL && new URL(responseURL).pathname !== new URL(detail.requestConfig.path, location.href).pathname) {
    detail.shouldSwap = false;
    location.assign(responseURL);
  }
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.requestConfig && isAgain(detail)) document.querySelector("form[data-again] [aria-invalid=true]")?.focus();
});
// What was wrong with an input is no longer known once it is changed.
document.addEventListener("input", ({ target }) => {
  if (target.closest("form[data-again]")) target.removeAttribute("aria-invalid");
});
// What htmx sends of a form marked `data-submits` leaves out the same.
document.addEventListener("htmx:configRequest", ({ detail: { elt, parameters } }) => {
  if (!elt.matches("form[data-submits]")) return;
  for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
});
