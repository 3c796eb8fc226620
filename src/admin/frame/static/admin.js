// Updates open pages. Everything else works without this script.

const REQUEST_TIMEOUT_MS = 8000;
const LONGEST_WAIT_MS = 15_000;

const connection = document.getElementById("connection");
const main = document.getElementById("main");

signInByLink();
forgetNotice();
forgetForm();
document.addEventListener("submit", sendOnce);
if (main?.dataset.refreshMs !== undefined) follow(main);

/**
 * Signs in by a link that has the token behind the #, which is never sent. Removes it from the address bar at
 * once.
 */
function signInByLink() {
  const form = document.getElementById("sign-in");
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!(form instanceof HTMLFormElement) || token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  const input = form.elements.namedItem("token");
  if (!(input instanceof HTMLInputElement)) return;
  input.value = token;
  form.requestSubmit();
}

/** Removes a notice from the address, so that a reload does not repeat it. */
function forgetNotice() {
  const url = new URL(location.href);
  if (!url.searchParams.has("notice")) return;
  url.searchParams.delete("notice");
  history.replaceState(null, "", url);
}

/** Gives the answer to a form the page's own address, so that a reload or an update does not send the form again. */
function forgetForm() {
  if (main?.dataset.address !== undefined) history.replaceState(null, "", main.dataset.address);
}

/**
 * Sends a form once, even if its button is clicked twice.
 * @param {SubmitEvent} event
 */
function sendOnce(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
  if (form.dataset.sent !== undefined) return event.preventDefault();
  form.dataset.sent = "";
  event.submitter?.setAttribute("aria-disabled", "true");
  // The browser restores the page as it was left when somebody goes back to it.
  addEventListener("pageshow", () => {
    delete form.dataset.sent;
    event.submitter?.removeAttribute("aria-disabled");
  }, { once: true });
}

/**
 * Reloads the page regularly and applies the changes. Without an answer the shown state stays, with its time.
 * The waits grow then, and end at once when the network or the reader comes back.
 * @param {HTMLElement} main
 */
async function follow(main) {
  let failures = 0;
  /** @type {Date | undefined} */
  let lostSince;
  while (main.dataset.refreshMs !== undefined) {
    const pauseMs = Number(main.dataset.refreshMs) * Math.min(2 ** failures, 8);
    await nextLook(Math.min(pauseMs, LONGEST_WAIT_MS));
    const answer = await loadPage();
    if (answer.kind === "signed out") return sayEnded();
    if (answer.kind === "page") {
      failures = 0;
      lostSince = undefined;
      if (connection !== null) connection.hidden = true;
      update(main, answer.main);
      document.title = answer.title;
    } else {
      failures++;
      lostSince ??= new Date();
      const problem = answer.problem ?? `Connection lost since ${clock(lostSince)}.`;
      say(
        main.dataset.readAt === undefined
          ? problem
          : `${problem} The page shows the state of ${clock(new Date(main.dataset.readAt))}.`,
      );
    }
  }
}

/**
 * @returns {Promise<
 *   { kind: "page", main: HTMLElement, title: string } | { kind: "signed out" } | { kind: "failed", problem?: string }
 * >}
 */
async function loadPage() {
  try {
    const response = await fetch(location.href, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (response.type === "opaqueredirect" || response.status === 403) return { kind: "signed out" };
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const newMain = page.getElementById("main");
    if (response.ok && newMain !== null) return { kind: "page", main: newMain, title: page.title };
    return { kind: "failed", problem: page.getElementById("connection")?.dataset.problem };
  } catch {
    return { kind: "failed" };
  }
}

/**
 * Waits until the page is to be reloaded. A page in the background waits until it is visible.
 * @param {number} ms
 * @returns {Promise<void>}
 */
function nextLook(ms) {
  return new Promise((resolve) => {
    const ended = new AbortController();
    const end = () => {
      clearTimeout(timer);
      ended.abort();
      resolve();
    };
    const endWhenSeen = () => document.visibilityState === "visible" && end();
    const timer = setTimeout(() => endWhenSeen(), ms);
    addEventListener("online", end, { signal: ended.signal });
    document.addEventListener("visibilitychange", endWhenSeen, { signal: ended.signal });
  });
}

/** @param {string} text */
function say(text) {
  if (connection === null) return;
  connection.hidden = false;
  if (connection.textContent !== text) connection.textContent = text;
}

function sayEnded() {
  say("Your session has ended. ");
  const link = document.createElement("a");
  link.href = `/admin/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in again";
  connection?.append(link);
}

/** @param {Date} time */
function clock(time) {
  return `${time.toISOString().slice(11, 19)} UTC`;
}

/**
 * Changes an element to match another. Touches only what differs, so that focus, opened details and typed text stay.
 * @param {Element} shown
 * @param {Element} wanted
 */
function update(shown, wanted) {
  for (const { name } of [...shown.attributes]) {
    if (!wanted.hasAttribute(name) && !isSetByReader(shown, name)) shown.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (shown.getAttribute(name) !== value && !isSetByReader(shown, name)) shown.setAttribute(name, value);
  }
  updateChildren(shown, wanted);
}

/**
 * Updates matching children, inserts new ones and removes old ones.
 * @param {Element} shown
 * @param {Element} wanted
 */
function updateChildren(shown, wanted) {
  const left = [...shown.childNodes].filter((node) =>
    !(node instanceof Element && node.hasAttribute("data-kept"))
  );
  for (const other of [...wanted.childNodes]) {
    const found = left.findIndex((node) => isAlike(node, other));
    if (found === -1) {
      shown.insertBefore(other, left[0] ?? null);
      continue;
    }
    for (const gone of left.splice(0, found)) gone.remove();
    const node = left.shift();
    if (node instanceof Element && other instanceof Element) update(node, other);
    else if (node !== undefined && node.nodeValue !== other.nodeValue) node.nodeValue = other.nodeValue;
  }
  for (const node of left) node.remove();
}

/**
 * Tells whether the reader has set an attribute, which an update must keep.
 * @param {Element} element
 * @param {string} name
 */
function isSetByReader(element, name) {
  const isTyped = name === "value" && element instanceof HTMLInputElement && element.type !== "hidden";
  return isTyped || (name === "open" && element.localName === "details") || name === "data-sent" ||
    name === "aria-disabled";
}

/**
 * @param {Node} node
 * @param {Node} other
 */
function isAlike(node, other) {
  if (node.nodeName !== other.nodeName) return false;
  if (!(node instanceof Element) || !(other instanceof Element)) return true;
  return ["id", "action", "data-key"].every((name) => node.getAttribute(name) === other.getAttribute(name));
}
