// The page: what is painted goes to npfill on this computer, and what it says comes back.

import { Mask } from "./mask.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id), MOST_UNDONE = 60, SAMPLES = 3;
const HEAT = ["000004", "3a0c5e", "801f6c", "c13756", "ee6925", "fcb41a", "fcffa4"].map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
const WORDS = [[3, "sure"], [8, "fairly sure"], [20, "unsure"], [Infinity, "a guess"]]; // up to so many levels
const KEYS = { b: "brush", e: "eraser", r: "box", l: "lasso", w: "wand", h: "hand" };
const sizes = { brush: 24, wand: 24 }; // the width of brush and eraser; the wand's tolerance
let at = 0, open = null, tool = "brush", points = [], value = 1, underway = new AbortController(), ready = false;
const tools = document.querySelectorAll("[data-tool]");
const pages = new Map(); // what was done on each picture
const ENDED = { message: "npfill has ended", hint: "start it again; what was saved is kept" };
const NOTHING = "Nothing is painted yet.";

function say(text, wrong = false, inSight = wrong) {
  Object.assign($("status"), { textContent: text, className: wrong ? "wrong" : "" });
  if (inSight) $("status").scrollIntoView({ block: "nearest" }); // on a telephone it may be below
}

// What a browser says where nobody answers, in words of our own.
function unanswered(error) {
  throw error.name === "AbortError" ? error : ENDED;
}

async function ask(name, parameters = {}, how = {}) {
  const answer = await fetch(`${name}?${new URLSearchParams(parameters)}`, { method: how.body ? "POST" : "GET", ...how }).catch(unanswered);
  if (answer.ok) return answer;
  throw Object.assign(new Error(), await answer.json().catch(() => ({ message: answer.statusText })));
}

const explain = ({ message, hint }) => void say([message, hint].filter(Boolean).join("\n"), true);
const asked = () => ({ picture: open.number, grow: $("grow").valueAsNumber || 0, seed: $("seed").valueAsNumber || 0, model: $("model").value });

// What is under way, a picture that comes or a fill, ends here: whoever has its signal is not heard any more.
function anew() {
  underway.abort();
  underway = new AbortController();
  if (!$("progress").hidden) say("");
  $("progress").hidden = true;
  return underway.signal;
}

// Pictures

async function show(number) {
  view.finish("end");
  const signal = anew(), failed = (error) => signal.aborted || explain(error), shown = { result: null, chosen: 0 };
  const page = pages.get(number) ?? { number, past: [], future: [], shown, saved: shown };
  [at, open] = [number, null]; // nothing is painted, filled or saved until it is there
  [$("previous").disabled, $("next").disabled] = [number === 0, number === pictures.length - 1];
  $("name").textContent = document.title = named(pictures[number]);
  $("name").title = pictures[number];
  $("paper").classList.remove("there");
  $("exists").hidden = true;
  say("Loading the picture …");
  try {
    const content = await (await ask("picture", { picture: number }, { signal })).blob();
    URL.revokeObjectURL($("before").src);
    $("before").src = URL.createObjectURL(content);
    await $("before").decode();
    const { naturalWidth: width, naturalHeight: height } = $("before"), { mask } = page;
    const changed = mask && (mask.width !== width || mask.height !== height), cells = changed ? null : mask?.cells;
    if (changed) {
      Object.assign(page, { past: [], future: [], shown, saved: shown });
      say(`${pictures[number]} has another size now: what was painted on it is gone`, true);
    }
    page.pixels = null;
    const begun = cells ? null : await ask("mask", { picture: number }, { signal }).then((answer) => answer.arrayBuffer()).catch(failed);
    signal.throwIfAborted();
    page.mask = new Mask(width, height, $("mask"));
    if (cells) page.mask.put([0, 0, width, height], cells);
    else if (begun) page.mask.unpack(begun);
    pages.set(number, (open = page));
    view.open(width, height);
    if (!$("status").classList.contains("wrong")) say(`${width} × ${height} pixels${ready ? "" : ". The model is loading while you paint."}`);
    $("paper").classList.add("there");
    render();
  } catch (error) {
    failed(error);
  }
}

// The name of a picture, with its folder where others have the same.
function named(path) {
  const last = (each, count = 1) => each.split(/[\\/]/).slice(-count).join("/");
  return last(path, pictures.filter((each) => last(each) === last(path)).length > 1 ? 2 : 1);
}

const step = (by) => pictures[at + by] && show(at + by);

// What is shown changes, and with it what is painted if there is an edit of that. Each `shown` stands for one state of both.
function turn(shown, edit = null) {
  open.past = [...open.past, { edit, shown: open.shown }].slice(-MOST_UNDONE);
  Object.assign(open, { future: [], shown });
  render();
}

function undo(from, to) {
  view.finish("end");
  const entry = open?.[from].pop();
  if (!entry) return;
  anew();
  open[to].push({ edit: entry.edit && open.mask.swap(entry.edit), shown: open.shown });
  open.shown = entry.shown;
  render();
}

function draw() {
  const { mask } = open, [x, y] = points[0], [u, v] = points.at(-1);
  if (tool === "box") mask.polygon([[x, y], [u, y], [u, v], [x, v]], value);
  else if (tool === "lasso") mask.polygon(points, value);
  else mask.stroke(...(points.at(-2) ?? [u, v]), u, v, sizes.brush, value);
}

function pixels() {
  const { width, height } = open.mask, context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage($("before"), 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

const view = new View({
  begin(x, y, erase) {
    if (!open) return;
    open.mask.begin();
    points = [[x, y]];
    value = erase || tool === "eraser" ? 0 : 1;
    const within = x >= 0 && y >= 0 && x < open.mask.width && y < open.mask.height;
    if (tool !== "wand") draw();
    else if (within) open.mask.wand(Math.floor(x), Math.floor(y), (open.pixels ??= pixels()), sizes.wand, value);
    $("paper").classList.remove("fresh");
  },
  move(x, y) {
    if (!open || tool === "wand") return;
    points.push([x, y]);
    if (tool === "box" || tool === "lasso") open.mask.reset();
    draw();
  },
  end() {
    const edit = open?.mask.end();
    if (!edit) return open && render();
    anew();
    turn({ result: null, chosen: 0 }, edit);
  },
  cancel() {
    open?.mask.reset();
    this.end();
  },
  at(x, y) {
    const { result } = open?.shown ?? {}, [left, top, wide, high] = result?.box ?? [0, 0, 0, 0];
    const column = Math.floor(x) - left, row = Math.floor(y) - top;
    const std = column >= 0 && row >= 0 && column < wide && row < high ? result.std?.[row * wide + column] : 0;
    const words = () => (result.isData ? short(std) : `${Math.max(1, Math.round(std))} levels: ${WORDS.find(([most]) => std < most)[1]}`);
    $("value").textContent = std ? `±${words()}` : "";
  },
});

// Filling

const short = (number) => String(Number(number.toPrecision(2)));

async function fill(samples = 0) {
  view.finish("end");
  if (!open) return;
  if (!open.mask.box()) return say(NOTHING, true);
  const signal = anew(), how = { ...asked(), samples }, began = performance.now();
  $("progress").hidden = false;
  $("progress").removeAttribute("value");
  say(ready ? (samples ? "Drawing samples …" : "Filling …") : "The model is still loading …");
  let found = null;
  try {
    await lines(await ask("fill", how, { body: open.mask.packed(), signal }), (line) => {
      if (line.message) throw line;
      if (line.step?.[1]) Object.assign($("progress"), { max: line.step[1], value: line.step[0] });
      if (line.box) found = line;
    });
    if (!found) throw ENDED;
    const result = await decoded(found, how);
    signal.throwIfAborted();
    turn({ result, chosen: samples ? Math.min(1, result.pictures.length - 1) : 0 });
    anew();
    say([...result.said, `${((performance.now() - began) / 1000).toFixed(1)} s`].join("\n"));
  } catch (error) {
    if (signal.aborted) return;
    anew();
    explain(error);
  }
}

async function lines(answer, heard) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", part; !(part = await reader.read().catch(unanswered)).done; ) {
    const parts = part.value.split("\n");
    parts[0] = rest + parts[0];
    rest = parts.pop();
    parts.map(JSON.parse).forEach(heard);
  }
}

async function decoded({ mean, samples, std, ...rest }, how) {
  const blob = (text, type = "") => {
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at); // `from` takes ten times as long
    return new Blob([bytes], { type });
  };
  const inflated = (text) => new Response(blob(text).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  const pictures = await Promise.all([mean, ...samples].map((text) => createImageBitmap(blob(text, "image/png"))));
  return { ...rest, how, pictures, std: std && new Float32Array(await inflated(std)) };
}

// What is shown

function render() {
  const { result, chosen } = open.shown;
  $("paper").classList.toggle("fresh", result !== null);
  [$("undo").disabled, $("redo").disabled] = [!open.past.length, !open.future.length];
  $("saveResult").disabled = $("saveSheet").disabled = result === null;
  $("hint").hidden = open.past.length > 0 || open.mask.box() !== null;
  $("exists").hidden = true;
  for (const id of ["after", "veil", "divider", "result", "commanding"]) $(id).hidden = result === null;
  $("value").textContent = "";
  if (result === null) return;
  const [left, top, width, height] = result.box;
  for (const id of ["after", "veil"]) Object.assign(Object.assign($(id), { width, height }).style, { left: `${left}px`, top: `${top}px` });
  $("after").getContext("2d").drawImage(result.pictures[chosen], 0, 0);
  if (result.std) $("veil").getContext("2d").putImageData(coloured(result.std, width, height), 0, 0);
  thumbnails(result, chosen);
  slide();
  commanded();
}

function coloured(std, width, height) {
  const image = new ImageData(width, height), full = std.reduce((most, each) => Math.max(most, each), 0) || 1;
  $("ramp").title = `from ±0 to ±${short(full)}`;
  std.forEach((each, at) => {
    if (each === 0) return;
    const place = (each / full) * (HEAT.length - 1.001), low = Math.floor(place);
    image.data.set([...HEAT[low].map((level, channel) => level + (place - low) * (HEAT[low + 1][channel] - level)), 90 + (165 * each) / full], 4 * at);
  });
  return image;
}

function thumbnails(result, chosen) {
  const [left, top, width, height] = result.box, around = Math.round(0.15 * Math.max(width, height)) + 8;
  const share = Math.min(1, 160 / (Math.max(width, height) + 2 * around));
  $("samples").replaceChildren(...result.pictures.map((picture, number) => {
    const [button, canvas] = ["button", "canvas"].map((name) => document.createElement(name)), context = canvas.getContext("2d");
    [canvas.width, canvas.height] = [width, height].map((side) => Math.ceil((side + 2 * around) * share));
    context.scale(share, share);
    context.drawImage($("before"), around - left, around - top);
    context.drawImage(picture, around, around);
    button.append(canvas, number ? `Sample ${number}` : "Mean");
    const onclick = () => number !== chosen && (turn({ result, chosen: number }), $("samples").children[number].focus());
    return Object.assign(button, { ariaPressed: number === chosen, onclick });
  }));
  $("draw").hidden = result.pictures.length > 1 || result.std === null;
  $("doubt").parentElement.hidden = result.std === null;
}

function slide() {
  if (!open?.shown.result) return;
  const [left, top, width, height] = open.shown.result.box, edge = (width * $("split").value) / 100;
  $("after").style.clipPath = `inset(0 ${width - edge}px 0 0)`;
  $("veil").style.opacity = $("doubt").value / 100;
  Object.assign($("divider").style, { left: `${left + edge}px`, top: `${top}px`, height: `${height}px` });
  $("divider").hidden = ["0", "100"].includes($("split").value);
}

async function commanded() {
  const { shown } = open, how = { ...shown.result.how, result: shown.chosen ? "samples" : "mean", samples: shown.chosen };
  $("command").textContent = "";
  const { command } = await (await ask("command", how, { body: open.mask.packed() })).json();
  if (open?.shown === shown) $("command").textContent = command;
}

// Saving

async function save(wanted, overwrite = 0) {
  view.finish("end");
  if (!open) return;
  if (!open.mask.box()) return say(NOTHING, true);
  const page = open, { shown } = page, { result, chosen } = shown, kind = result ? wanted : "mask";
  const how = { ...(result?.how ?? asked()), overwrite, result: kind };
  if (kind === "result") Object.assign(how, { result: chosen ? "samples" : "mean", sample: chosen });
  $("exists").hidden = true;
  say("Saving …");
  try {
    const { saved, notes } = await (await ask("save", how, { body: page.mask.packed() })).json();
    if (kind !== "mask" || !result) page.saved = shown;
    say([saved.length ? `Saved ${saved.join(" and ")}` : "It was saved already.", ...notes].join("\n"), false, true);
  } catch (error) {
    if (!error.exists) return explain(error);
    if (open?.shown !== shown) return say(`Not saved. ${error.message}`, true); // nothing is asked of another state
    say("");
    $("exists").hidden = false;
    $("exists").firstElementChild.textContent = error.message;
    $("replace").onclick = () => save(kind, 1);
    $("replace").focus();
  }
}

// Controls

const sized = () => (tool === "wand" ? "wand" : "brush");

function choose(name) {
  view.finish("end");
  tool = view.tool = name;
  for (const button of tools) button.ariaPressed = button.dataset.tool === name;
  $("sizing").style.visibility = ["brush", "eraser", "wand"].includes(name) ? "" : "hidden";
  $("sizeName").textContent = name === "wand" ? "Tolerance" : "Size";
  resize(sizes[sized()]);
}

function resize(to) {
  $("size").value = to;
  $("sizeSaid").textContent = sizes[sized()] = Number($("size").value);
  view.size = sizes.brush;
  view.showPen();
}

const undone = ["past", "future"], redone = ["future", "past"];
const pressed = {
  "[": () => resize(Number($("size").value) / 1.2 - 1), "]": () => resize(Number($("size").value) * 1.2 + 1),
  "+": () => view.zoom(1.25), "=": () => view.zoom(1.25), "-": () => view.zoom(0.8), 0: () => view.fit(),
  pageup: () => step(-1), pagedown: () => step(1), ...Object.fromEntries(Object.entries(KEYS).map(([key, name]) => [key, () => choose(name)])),
};
const onStage = { enter: () => fill(), " ": () => (view.held = true) }; // not where these press a button
const onSlider = { enter: onStage.enter, pageup: null, pagedown: null }; // Page keys move the slider itself
const withControl = { z: (shift) => undo(...(shift ? redone : undone)), y: () => undo(...redone), s: () => save("result") };
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase(), isOnStage = [$("stage"), document.body].includes(event.target), isSlider = event.target.type === "range";
  const isTyped = event.target.matches("input, select") && !isSlider, controlled = event.ctrlKey || event.metaKey;
  const plain = isOnStage ? { ...pressed, ...onStage } : isSlider ? { ...pressed, ...onSlider } : isTyped ? {} : pressed;
  const act = (controlled ? (isTyped ? { s: withControl.s } : withControl) : plain)[key];
  if (act) act(event.shiftKey);
  if (act || (isOnStage && !controlled && view.key(event))) event.preventDefault();
});
document.addEventListener("keyup", (event) => event.key === " " && (view.held = false));
addEventListener("blur", () => (view.held = false));
addEventListener("beforeunload", (event) => [...pages.values()].some((page) => page.shown !== page.saved) && event.preventDefault());

for (const button of tools) button.onclick = () => choose(button.dataset.tool);
for (const [id, act] of Object.entries({
  previous: () => step(-1), next: () => step(1), undo: () => undo(...undone), redo: () => undo(...redone),
  whole: () => view.fit(), fill: () => fill(), draw: () => fill(SAMPLES),
  saveResult: () => save("result"), saveMask: () => save("mask"), saveSheet: () => save("sheet"),
})) $(id).onclick = act;
for (const [id, act] of Object.entries({ split: slide, doubt: slide, size: () => resize($("size").value) })) $(id).oninput = act;

let ended = false; // it is said once, though the browser asks again and again
Object.assign(new EventSource("alive"), {
  onerror() {
    if (!ended) explain(ENDED);
    ended = true;
  },
  onmessage({ data }) {
    const state = JSON.parse(data);
    [ready, ended] = [state === "ready", false];
    if (ready && $("status").textContent.includes("loading")) say($("progress").hidden ? "Ready." : "Filling …");
    else if (!ready && state !== "loading") say(state, true);
  },
});

const { pictures, models } = await (await ask("pictures")).json();
$("model").replaceChildren(...models.map((name) => new Option(name)));
choose("brush");
await show(0);
