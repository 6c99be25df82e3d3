// Results as one types: search.json, one question at a time, the last one wins.
import { load, moved } from "./nav.js";
import { enhancePlay } from "./player.js";

const PAUSE = 110;
let timer = 0;
let asked = null;

export function enhanceLive() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-live]");
    if (!form || event.target.name !== "q" || event.isComposing) return;
    later(event.target);
  });
  document.addEventListener("compositionend", (event) => {
    if (event.target.closest?.("form[data-live]")) later(event.target);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-live]")) stop();
  }, true);
}

function stop() {
  clearTimeout(timer);
  asked?.abort();
}

function later(field) {
  stop();
  timer = setTimeout(() => find(field), PAUSE);
}

async function find(field) {
  const q = field.value.trim();
  const found = document.querySelector("[data-found]");
  if (!found) {
    if (q) load(`/search?${new URLSearchParams({ q })}`, { focus: false });
    return;
  }
  if (!q) {
    show(found, { q, hits: [], total: 0 });
    return;
  }
  const mine = asked = new AbortController();
  found.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/search.json?${new URLSearchParams({ q })}`, { signal: mine.signal });
    const value = await answer.json();
    if (mine !== asked) return;
    if (answer.ok) show(found, value);
    else say(found, value.what ?? "The search was not made.");
  } catch (error) {
    if (error.name !== "AbortError") say(found, "The archive does not answer. Press Enter to try again.");
  } finally {
    if (mine === asked) found.removeAttribute("aria-busy");
  }
}

function say(found, words) {
  found.hidden = false;
  found.querySelector("[data-count]").textContent = words;
}

function show(found, value) {
  for (const rest of document.querySelectorAll("[data-rest]")) rest.hidden = Boolean(value.q);
  found.hidden = !value.q && document.querySelector("[data-rest]") !== null;
  found.querySelector("[data-count]").textContent = counted(value);
  const list = found.querySelector("ol.hits");
  list.hidden = value.hits.length === 0;
  list.replaceChildren(...value.hits.map(row));
  enhancePlay(list);
  turn(found, value);
  toggle(found, "[data-empty]", value.q && !value.hits.length);
  toggle(found, "[data-start]", !value.q);
  name(value);
}

function toggle(found, selector, on) {
  const part = found.querySelector(selector);
  if (part) part.hidden = !on;
}

function counted(value) {
  if (!value.q) return "";
  if (!value.hits.length) return "Nothing was found.";
  const total = value.total.toLocaleString("en");
  const near = value.tolerant ? ". Few match exactly, so near spellings are shown too" : "";
  return value.total_is_exact ? `${total} recording${value.total === 1 ? "" : "s"}${near}.` : `More than ${total} recordings${near}.`;
}

function turn(found, value) {
  const pages = found.querySelector("[data-pages]");
  const [previous, next] = [pages.querySelector("[rel=prev]"), pages.querySelector("[rel=next]")];
  previous.hidden = true;
  next.hidden = !value.next;
  next.href = (value.next ?? "").replace("/search.json", "/search");
  pages.hidden = !value.next;
}

// The address and the headings follow; the first change is a step that "back" undoes, the others are not.
function name(value) {
  const address = value.q ? `/search?${new URLSearchParams({ q: value.q })}` : document.querySelector("[data-rest]") ? "/" : "/search";
  if (address !== location.pathname + location.search) {
    history[history.state?.live ? "replaceState" : "pushState"]({ live: true }, "", address);
    moved();
  }
  document.title = `${value.q || "Search"} – ${document.querySelector(".name span").textContent}`;
  const twin = document.querySelector('.foot a[href^="/search.json"]');
  if (twin) twin.href = `/search.json?${new URLSearchParams({ q: value.q })}`;
  const heading = document.querySelector("[data-asked]");
  if (!heading) return;
  if (!value.q) {
    heading.textContent = "Search";
    return;
  }
  const words = document.createElement("bdi");
  words.className = "asked";
  words.textContent = value.q.length > 80 ? `${value.q.slice(0, 77)}…` : value.q;
  heading.replaceChildren("Search for ", words);
}

function row(hit) {
  const made = document.getElementById("hit-row").content.firstElementChild.cloneNode(true);
  const title = hit.title || "Untitled";
  const link = made.querySelector(".hit-title");
  link.href = `/recording/${hit.id}`;
  link.firstElementChild.textContent = title;
  made.querySelector(".hit-by").replaceChildren(...byline(hit));
  const [play, add, badge] = [made.querySelector(".play"), made.querySelector(".add"), made.querySelector(".badge")];
  if (!hit.playable) {
    const none = document.createElement("span");
    none.className = "play none";
    play.replaceWith(none);
    add.remove();
    badge.className = "quiet";
    badge.textContent = "described only";
    return made;
  }
  Object.assign(play.dataset, { play: hit.id, title, artist: hit.artist ?? "" });
  play.setAttribute("aria-label", `Play ${title}`);
  Object.assign(add.dataset, { add: hit.id, title, artist: hit.artist ?? "" });
  add.setAttribute("aria-label", `Add ${title} to the queue`);
  add.title = "Add to the queue";
  if (hit.badge) {
    badge.classList.add(hit.badge.kind);
    badge.textContent = hit.badge.name;
    badge.title = hit.badge.words;
  } else badge.remove();
  return made;
}

function byline(hit) {
  const parts = [hit.artist || "Unknown artist", hit.release, hit.year].filter(Boolean);
  return parts.flatMap((part, i) => {
    const words = document.createElement("bdi");
    words.textContent = part;
    if (!i) return [words];
    const dot = document.createElement("span");
    dot.className = "dot";
    dot.textContent = "·";
    return [" ", dot, " ", words];
  });
}
