// While something plays, pages change without ending it: the new page's content takes the place of the old one's.

const PAGES = /^\/($|search$|recording\/|release\/|artist\/|torrents$|edition$|credits$|withheld$)/;
const listeners = [];
let asked = null;
let shown = location.pathname + location.search;

export function onPage(listener) {
  listeners.push(listener);
}

export function playing() {
  return document.body.classList.contains("has-player");
}

// Says that the address was changed by somebody else.
export function moved() {
  shown = location.pathname + location.search;
}

function isPage(url) {
  return url.origin === location.origin && PAGES.test(url.pathname) && !url.pathname.endsWith(".json");
}

export async function load(address, { push = true, focus = true } = {}) {
  asked?.abort();
  const mine = asked = new AbortController();
  const url = new URL(address, location.href);
  let text, kind, final;
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" }, signal: mine.signal });
    kind = answer.headers.get("content-type") ?? "";
    final = new URL(answer.url);
    text = await answer.text();
  } catch (error) {
    if (error.name !== "AbortError") location.href = url;
    return;
  }
  if (!kind.startsWith("text/html")) {
    location.href = url;
    return;
  }
  if (mine !== asked) return;
  final.hash = url.hash;
  if (push) history.pushState({}, "", final);
  moved();
  swap(new DOMParser().parseFromString(text, "text/html"), focus);
}

function swap(page, focus) {
  document.title = page.title;
  for (const selector of ["main", ".foot", ".places", ".stale"]) replace(selector, page);
  const header = document.querySelector(".top form.find");
  const wanted = page.querySelector(".top form.find");
  if (header && !wanted) header.remove();
  if (!header && wanted) document.querySelector(".top .name").after(wanted);
  if (header && wanted && focus) header.querySelector("input").value = wanted.querySelector("input").value;
  for (const old of document.head.querySelectorAll("link[rel=canonical], link[rel=alternate], link[rel=license], meta[name=robots]")) old.remove();
  document.head.append(...page.head.querySelectorAll("link[rel=canonical], link[rel=alternate], link[rel=license], meta[name=robots]"));
  const main = document.querySelector("main");
  for (const listener of listeners) listener(main);
  if (!focus) return;
  const goal = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  (goal || main).scrollIntoView();
  if (!goal) window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function replace(selector, page) {
  const old = document.querySelector(selector);
  const made = page.querySelector(selector);
  if (old && made) old.replaceWith(made);
  else if (old) old.remove();
  else if (made) document.querySelector("header.top").after(made);
}

export function enhanceLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (!playing() || link.target || link.hasAttribute("download") || link.protocol === "magnet:") return;
    const url = new URL(link.href);
    const here = url.pathname + url.search === location.pathname + location.search;
    if (!isPage(url) || (here && url.hash)) return;
    event.preventDefault();
    load(url);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!playing() || event.defaultPrevented || form.method !== "get") return;
    const url = new URL(form.action);
    url.search = new URLSearchParams(new FormData(form)).toString();
    if (!isPage(url)) return;
    event.preventDefault();
    load(url);
  });
  window.addEventListener("popstate", () => {
    if (location.pathname + location.search !== shown) load(location.href, { push: false });
  });
}
