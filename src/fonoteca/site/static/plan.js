// "I have N TB": the form as a slider, answered as it moves. The form itself works without this.
import { moved } from "./nav.js";

const UNITS = [["PB", 1e15], ["TB", 1e12], ["GB", 1e9], ["MB", 1e6]];
const STEPS = 1000;
let timer = 0;
let asked = null;

export function enhancePlan(root) {
  const form = root.querySelector("form[data-plan]");
  if (!form) return;
  const slide = form.querySelector("[data-slide]");
  // Everything, with what a filesystem needs beside it; small amounts get the longer part of the way.
  const top = Number(form.dataset.total) * 1.01 + 2e6;
  const fields = { number: form.elements.disk, unit: form.elements.unit };
  const bytes = () => Number(fields.number.value) * (UNITS.find(([u]) => u === fields.unit.value)?.[1] ?? NaN);
  const place = () => {
    slide.value = STEPS * Math.sqrt(Math.min(1, Math.max(0, bytes() / top)) || 0);
    slide.setAttribute("aria-valuetext", `${fields.number.value} ${fields.unit.value}`);
  };
  const changed = (address) => {
    clearTimeout(timer);
    asked?.abort();
    timer = setTimeout(() => ask(form, fields.number.value + fields.unit.value, address), 90);
  };
  slide.closest("label").hidden = false;
  place();
  slide.addEventListener("input", () => {
    const wanted = Math.max(1e6, top * (slide.value / STEPS) ** 2);
    const [unit, scale] = UNITS.find(([, s]) => wanted >= s);
    fields.number.value = Number((wanted / scale).toPrecision(3));
    fields.unit.value = unit;
    slide.setAttribute("aria-valuetext", `${fields.number.value} ${unit}`);
    changed(true);
  });
  for (const field of [fields.number, fields.unit]) field.addEventListener("input", () => { place(); changed(true); });
  if (form.parentElement.querySelector("[data-planned]").hidden && !form.parentElement.querySelector("[role=alert]")) changed(false);
}

async function ask(form, disk, address) {
  const mine = asked = new AbortController();
  const panel = form.closest("section");
  const planned = panel.querySelector("[data-planned]");
  try {
    const answer = await fetch(`/torrents/plan.json?${new URLSearchParams({ disk })}`, { signal: mine.signal });
    const value = await answer.json();
    if (mine !== asked) return;
    planned.hidden = false;
    if (answer.ok) show(planned, value);
    else planned.querySelector("[data-line]").textContent = `${value.what}: ${value.why}.`;
  } catch (error) {
    if (error.name !== "AbortError") planned.querySelector("[data-line]").textContent = "The archive does not answer.";
    return;
  }
  if (!address) return;
  const url = new URL(location.href);
  url.searchParams.set("disk", form.elements.disk.value);
  url.searchParams.set("unit", form.elements.unit.value);
  history.replaceState(history.state, "", url);
  moved();
}

function show(planned, value) {
  planned.querySelector("[data-meter]").value = value.coverage;
  planned.querySelector("[data-magnets]").value = value.magnets.join("\n");
  planned.querySelector("[data-command]").textContent = value.command;
  for (const link of planned.querySelectorAll("[data-as]")) {
    link.href = `/torrents/plan.${link.dataset.as}?${new URLSearchParams({ disk: value.disk })}`;
  }
  const many = value.chosen.toLocaleString("en");
  const strong = document.createElement("strong");
  strong.textContent = value.heard ? share(value.coverage) : size(value.bytes);
  const said = value.heard ? ` of all known listens in ${size(value.bytes)}` : " are taken, and no listens are known to choose by";
  planned.querySelector("[data-line]").replaceChildren(strong,
    `${said}: ${many} torrent${value.chosen === 1 ? "" : "s"}, ${value.left_out.toLocaleString("en")} left out.`);
  planned.querySelector("[data-list]").replaceChildren(...value.torrents.map((t) => {
    const item = document.createElement("li");
    const [name, rest] = [document.createElement("span"), document.createElement("span")];
    name.className = "code";
    name.textContent = t.name;
    rest.className = "quiet";
    rest.textContent = size(t.bytes) + (t.kind === "volume" ? `, ${share(t.coverage)}` : "");
    item.append(name, " ", rest);
    return item;
  }));
}

// As render.share and sizes.show_size write them.
function share(value) {
  const percent = value * 100;
  if (percent >= 99.95 && percent < 100) return "over 99.9 %";
  return percent >= 0.1 || percent === 0 ? `${Number(percent.toPrecision(3))} %` : "under 0.1 %";
}

function size(count) {
  let value = count;
  for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
    if (value < 999.5) return `${Number(value.toPrecision(3))} ${unit}`;
    value /= 1000;
  }
  return `${Number(value.toPrecision(3))} PB`;
}
