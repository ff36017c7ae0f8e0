// A cell `data-badge-of="NAME"` shows a state as the page's `<template data-badge="NAME" data-state="STATE">` has it;
// a state that has none is shown as it is called.
export function badge(cell, state) {
  if (cell.dataset.state === state) return false;
  cell.dataset.state = state;
  const name = CSS.escape(cell.dataset.badgeOf);
  const made = document.querySelector(`template[data-badge="${name}"][data-state="${CSS.escape(state)}"]`);
  cell.replaceChildren(made ? made.content.cloneNode(true) : state);
  return true;
}
