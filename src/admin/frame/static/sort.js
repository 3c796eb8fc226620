// Lets rules be dragged to another place. It presses the button that moves a rule; Up and Down do so without it.

for (const list of document.querySelectorAll("[data-sortable]")) sortByDragging(list);

/** @param {Element} list */
function sortByDragging(list) {
  /** @type {HTMLElement | undefined} */
  let dragged;
  for (const item of list.querySelectorAll("li[data-place]")) {
    if (!(item instanceof HTMLElement)) continue;
    item.draggable = true;
    item.addEventListener("dragstart", (event) => {
      dragged = item;
      event.dataTransfer?.setData("text/plain", item.dataset.place ?? "");
    });
    item.addEventListener("dragover", (event) => {
      if (dragged === undefined) return;
      event.preventDefault();
      item.classList.add("over");
    });
    item.addEventListener("dragleave", () => item.classList.remove("over"));
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      item.classList.remove("over");
      if (dragged !== undefined && dragged !== item) {
        move(list, `move:${dragged.dataset.place}:${item.dataset.place}`);
      }
      dragged = undefined;
    });
    item.addEventListener("dragend", () => {
      dragged = undefined;
    });
  }
}

/**
 * @param {Element} list
 * @param {string} action
 */
function move(list, action) {
  const form = list.closest("form");
  if (form === null) return;
  const button = document.createElement("button");
  button.name = "do";
  button.value = action;
  button.hidden = true;
  form.append(button);
  form.requestSubmit(button);
}
