// `data-opens="ID"` opens that dialog; `data-closes` within one, or a click beside it, closes it.
// A dialog marked `data-open-now` is one whose form came back with something to mend.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]") || event.target.matches("dialog.dialog")) {
    event.target.closest("dialog")?.close();
  }
});
document.querySelector("dialog [data-open-now]")?.closest("dialog").showModal();
