// The bar: one audio element, a queue, and the keys of keyboards and headsets (Media Session).
import { copyText, flash } from "./copy.js";
import { Queue } from "./queue.js";

const LEAP = 5;
const facts = new Map();
let bar, audio, queue, turn = 0, dragging = false, wanted = 0;

const part = (name) => bar.querySelector(`[data-do="${name}"]`);
const place = (name) => bar.querySelector(`[data-show="${name}"]`);

export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "0:00";
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// "#t=83", "#t=1:23" or "#t=1:02:03" of a link, in seconds; null for none.
export function momentOf(hash) {
  const told = /^#t=(\d{1,6}(?::\d{1,2}){0,2}(?:\.\d+)?)$/.exec(hash);
  return told ? told[1].split(":").reduce((sum, n) => sum * 60 + Number(n), 0) : null;
}

export function startPlayer() {
  bar = document.getElementById("player");
  audio = document.createElement("audio");
  audio.preload = "auto";
  bar.append(audio);
  let time;
  [queue, time] = Queue.restored();
  try {
    audio.volume = Math.min(1, Math.max(0, Number(localStorage.getItem("fonoteca.volume") ?? 1)));
  } catch { /* loud, then */ }
  part("volume").value = audio.volume;
  listen();
  session();
  document.addEventListener("click", clicked);
  if (queue.current) open(time, false);
}

// Page parts that need the player: links become buttons, the page's own player gives way to the bar.
export function enhancePlay(root) {
  for (const link of root.querySelectorAll("a.play[data-play]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = link.className;
    Object.assign(button.dataset, link.dataset);
    button.setAttribute("aria-label", link.getAttribute("aria-label"));
    button.append(...link.childNodes);
    link.replaceWith(button);
  }
  for (const hidden of root.querySelectorAll(".add[hidden], [data-all][hidden]")) hidden.hidden = false;
  const own = root.querySelector(".player[data-recording]");
  if (own) {
    own.querySelector("audio")?.remove();
    own.querySelector(".player-start").hidden = false;
    from(own);
  }
  mark();
}

function from(own) {
  const moment = momentOf(location.hash);
  const said = own.querySelector("[data-from]");
  said.textContent = moment ? `starts at ${clock(moment)}` : "";
  own.dataset.from = moment ?? "";
}

function trackOf(element) {
  const holder = element.dataset.title ? element : element.closest("[data-recording]") ?? element;
  return { id: element.dataset.play ?? element.dataset.add, title: holder.dataset.title ?? "", artist: holder.dataset.artist ?? "" };
}

function clicked(event) {
  const button = event.target.closest?.("button");
  if (!button) return;
  if (button.dataset.play) playFrom(button);
  else if (button.dataset.add) add(trackOf(button));
  else if ("playAll" in button.dataset) playList(button.closest("article").querySelectorAll(".hits [data-play]"), 0);
}

function playFrom(button) {
  const track = trackOf(button);
  const own = button.closest("[data-recording]");
  const moment = Number(own?.dataset.from || 0);
  if (track.id === queue.current?.id && !moment) {
    toggle();
    return;
  }
  const rows = [...(button.closest("ol.hits")?.querySelectorAll("[data-play]") ?? [])];
  if (own) own.dataset.from = "";
  if (rows.length) playList(rows, rows.indexOf(button));
  else if (track.id === queue.current?.id) seek(moment, true);
  else playTracks([track], 0, moment);
}

function playList(rows, at) {
  playTracks([...rows].map(trackOf), at, 0);
}

function playTracks(tracks, at, time) {
  queue.set(tracks, at);
  open(time, true);
}

export function add(track) {
  const first = !queue.current;
  queue.add(track);
  say(`Added ${track.title} to the queue`);
  if (first) open(0, true);
  else draw();
}

export function toggle() {
  if (!queue.current) return startPage();
  if (audio.paused) start();
  else audio.pause();
  return true;
}

// Space on a page with something to play, while nothing is in the queue.
function startPage() {
  const button = document.querySelector("main .player-start [data-play], main [data-play-all]");
  button?.click();
  return Boolean(button);
}

export const active = () => Boolean(queue.current);

export function leap(direction) {
  seek(audio.currentTime + direction * LEAP);
}

export function step(by) {
  if (by < 0 && audio.currentTime > 3) seek(0);
  else if (queue.step(by)) open(0, true);
}

function seek(time, play = false) {
  wanted = Math.max(0, time);
  if (audio.readyState > 0) audio.currentTime = Math.min(wanted, audio.duration || wanted);
  if (play) start();
  tick();
}

function start() {
  audio.play().catch((error) => {
    if (error.name === "NotSupportedError") fail();
  });
}

async function told(track) {
  if (!facts.has(track.id)) {
    const answer = await fetch(`/recording/${encodeURIComponent(track.id)}.json`);
    const value = await answer.json();
    const file = value.files?.find((f) => f.held);
    if (!answer.ok || !file) throw new Error(value.reason?.text ?? value.what ?? "This mirror does not hold the audio.");
    facts.set(track.id, { src: file.audio, title: value.title || "Untitled", artist: value.artist || "Unknown artist", album: value.release?.title ?? "" });
  }
  return facts.get(track.id);
}

async function open(time, play) {
  const mine = ++turn;
  const track = queue.current;
  if (!track) return close();
  bar.hidden = false;
  document.body.classList.add("has-player");
  wanted = time;
  audio.pause();
  draw();
  try {
    const known = await told(track);
    if (mine !== turn) return undefined;
    Object.assign(track, { title: known.title, artist: known.artist });
    audio.src = known.src;
    draw();
    announce(known);
    if (play) start();
  } catch (error) {
    if (mine === turn) fail(error.message);
  }
  return undefined;
}

function announce(known) {
  if (!("mediaSession" in navigator)) return;
  navigator.mediaSession.metadata = new MediaMetadata({ title: known.title, artist: known.artist, album: known.album });
}

function fail(why = "This cannot be played here.") {
  bar.querySelector(".bar-by bdi").textContent = why;
  say(`${queue.current?.title ?? ""}: ${why}`);
}

function close() {
  turn += 1;
  audio.pause();
  audio.removeAttribute("src");
  queue.set([], -1);
  queue.keep(0);
  bar.hidden = true;
  document.body.classList.remove("has-player");
  if ("mediaSession" in navigator) navigator.mediaSession.metadata = null;
  mark();
}

function say(words) {
  place("said").textContent = words;
}

function mark() {
  const id = queue?.current?.id;
  for (const button of document.querySelectorAll("button[data-play]")) {
    const now = Boolean(id) && button.dataset.play === id;
    button.classList.toggle("now", now);
    button.setAttribute("aria-pressed", String(now && !audio.paused));
  }
}

function draw() {
  const track = queue.current;
  if (track) {
    const link = bar.querySelector(".bar-title");
    link.href = `/recording/${track.id}`;
    link.firstElementChild.textContent = track.title || "Untitled";
    bar.querySelector(".bar-by bdi").textContent = track.artist;
  }
  part("previous").disabled = queue.at <= 0 && audio.currentTime < 3;
  part("next").disabled = !queue.following;
  place("count").textContent = queue.tracks.length > 1 ? `${queue.at + 1}/${queue.tracks.length}` : "";
  const list = bar.querySelector("#queue ol");
  list.replaceChildren(...queue.tracks.slice(0, 500).map(line));
  queue.keep(audio.currentTime || wanted);
  mark();
}

function line(track, index) {
  const item = document.createElement("li");
  if (index === queue.at) item.setAttribute("aria-current", "true");
  const choose = document.createElement("button");
  choose.type = "button";
  choose.className = "queued";
  const words = document.createElement("bdi");
  words.textContent = track.title || "Untitled";
  const by = document.createElement("bdi");
  by.className = "quiet";
  by.textContent = track.artist ?? "";
  choose.append(words, " ", by);
  choose.addEventListener("click", () => { queue.at = index; open(0, true); });
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "key";
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Remove ${track.title || "Untitled"}`);
  remove.addEventListener("click", () => {
    const was = queue.remove(index);
    if (!queue.tracks.length) close();
    else if (was) open(0, !audio.paused);
    else draw();
  });
  item.append(choose, remove);
  return item;
}

function tick() {
  const slider = part("seek");
  const length = Number.isFinite(audio.duration) ? audio.duration : 0;
  slider.max = length || 1;
  if (!dragging) slider.value = audio.readyState ? audio.currentTime : 0;
  const now = dragging ? Number(slider.value) : audio.currentTime;
  place("time").textContent = clock(now);
  place("length").textContent = clock(length);
  slider.setAttribute("aria-valuetext", `${clock(now)} of ${clock(length)}`);
  part("previous").disabled = queue.at <= 0 && now < 3;
  if (length && "mediaSession" in navigator) {
    navigator.mediaSession.setPositionState?.({ duration: length, position: Math.min(audio.currentTime, length), playbackRate: 1 });
  }
}

function state() {
  const playing = !audio.paused;
  bar.classList.toggle("playing", playing);
  part("toggle").setAttribute("aria-label", playing ? "Pause" : "Play");
  if ("mediaSession" in navigator) navigator.mediaSession.playbackState = playing ? "playing" : "paused";
  mark();
}

function listen() {
  audio.addEventListener("loadedmetadata", () => {
    if (wanted) audio.currentTime = Math.min(wanted, audio.duration || wanted);
    wanted = 0;
    tick();
  });
  for (const name of ["play", "pause"]) audio.addEventListener(name, state);
  audio.addEventListener("play", () => say(`Playing ${queue.current?.title ?? ""}`));
  audio.addEventListener("timeupdate", tick);
  audio.addEventListener("durationchange", tick);
  audio.addEventListener("error", () => { if (audio.getAttribute("src")) fail(); });
  audio.addEventListener("playing", () => { if (queue.following) told(queue.following).catch(() => {}); });
  audio.addEventListener("ended", () => { if (queue.step(1)) open(0, true); else state(); });
  window.addEventListener("pagehide", () => queue.keep(audio.currentTime));
  window.addEventListener("hashchange", () => {
    const own = document.querySelector(".player[data-recording]");
    if (own) from(own);
  });
  const slider = part("seek");
  slider.addEventListener("input", () => { dragging = true; tick(); });
  slider.addEventListener("change", () => { dragging = false; seek(Number(slider.value)); });
  slider.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    leap(by);
  });
  controls();
}

function controls() {
  part("toggle").addEventListener("click", toggle);
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("close").addEventListener("click", close);
  part("clear").addEventListener("click", close);
  part("volume").addEventListener("input", (event) => {
    audio.volume = Number(event.target.value);
    try { localStorage.setItem("fonoteca.volume", event.target.value); } catch { /* for this page only */ }
  });
  part("queue").addEventListener("click", (event) => {
    const panel = bar.querySelector("#queue");
    panel.hidden = !panel.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) panel.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  });
  part("moment").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    const link = `${location.origin}/recording/${queue.current?.id}#t=${Math.floor(audio.currentTime)}`;
    flash(button, (await copyText(link, null)) ? "Copied" : link);
  });
}

function session() {
  if (!("mediaSession" in navigator)) return;
  const acts = {
    play: start, pause: () => audio.pause(), stop: close, previoustrack: () => step(-1), nexttrack: () => step(1),
    seekbackward: () => leap(-1), seekforward: () => leap(1), seekto: (told) => seek(told.seekTime),
  };
  for (const [name, act] of Object.entries(acts)) {
    try { navigator.mediaSession.setActionHandler(name, act); } catch { /* not every browser knows every key */ }
  }
}
