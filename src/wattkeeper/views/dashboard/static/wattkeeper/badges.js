// A cell `data-badge-of="NAME"` shows a state as the page's `<template data-badge="NAME" data-state="STATE">` has it;
// a state that has none is shown as it is called. Several at once have commas between them.
export function badge(cell, state) {
  if (cell.dataset.state === state) return false;
  cell.dataset.state = state;
  const name = CSS.escape(cell.dataset.badgeOf);
  const made = (one) => document.querySelector(`template[data-badge="${name}"][data-state="${CSS.escape(one)}"]`)?.content.cloneNode(true);
  const whole = made(state);
  const shown = whole ? [whole] : state.split(", ").flatMap((one) => [" ", made(one) ?? one]).slice(1);
  cell.replaceChildren(...shown);
  return true;
}
