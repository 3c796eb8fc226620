// Shows the members found while somebody types into a picker. Its button Find does so without it.

const PAUSE_MS = 250;

document.addEventListener("input", (event) => {
  const input = event.target;
  const picker = input instanceof HTMLInputElement ? input.closest("[data-picker]") : null;
  if (!(picker instanceof HTMLElement) || !(input instanceof HTMLInputElement)) return;
  if (input.name === picker.dataset.picker) suggest(picker, input);
});

/**
 * @param {HTMLElement} picker
 * @param {HTMLInputElement} input
 */
async function suggest(picker, input) {
  const text = input.value.trim();
  const isCurrent = () => input.value.trim() === text;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  if (!isCurrent()) return;
  const found = picker.querySelector(".found") ?? addFound(picker);
  if (text === "") return found.replaceChildren();
  const query = new URLSearchParams({ name: picker.dataset.picker ?? "", text });
  try {
    const response = await fetch(`${picker.dataset.people}?${query}`, { redirect: "manual" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (isCurrent()) found.replaceChildren(...(response.ok ? page.body.childNodes : []));
  } catch {
    found.replaceChildren(); // the button Find says what is wrong
  }
}

/** @param {HTMLElement} picker */
function addFound(picker) {
  const found = document.createElement("div");
  found.className = "found";
  found.dataset.kept = "";
  found.setAttribute("aria-live", "polite");
  picker.append(found);
  return found;
}
