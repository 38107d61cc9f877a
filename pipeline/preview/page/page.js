// The preview's page: it listens for news and exchanges what it shows, each pane keeping its place.
"use strict";

const find = (id) => document.getElementById(id);
const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });

const STATES = {
  "light": ["Light", ""],
  "dark": ["Dark", "For programs that ask the letter how it looks in the dark."],
  "forced-dark": ["Forced dark", "A stand-in: here the browser turns the colours round. Mail programs that do so each have a way of their own."],
  "no-pictures": ["Pictures blocked", "Until a reader allows them. What each picture says in words must do."],
  "no-style": ["Style stripped", "In programs that take style sheets away."],
};

const view = new URLSearchParams(location.search);
let news, proof, pages, spread = 0, gone = false;

// -- news

function listen() {
  news?.close();
  news = new EventSource(`/news?${view}`);
  const on = (name, act) => news.addEventListener(name, (event) => act(JSON.parse(event.data)));
  on("busy", () => say("busy", "Reading the book …"));
  on("proof", showProof);
  on("pages", showPages);
  on("done", sayDone);
  on("trouble", showTrouble);
  news.onopen = () => gone && location.reload(); // another preview, which counts from the beginning
  news.onerror = () => {
    gone = true;
    say("gone", "The preview has ended. Start it again with: pipeline preview");
    if (news.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

function say(state, text) {
  const status = find("status");
  status.dataset.state = state;
  status.ariaBusy = String(state === "busy"); // whoever listens hears only how it ends
  if (status.textContent !== text) status.textContent = text;
}

function showProof(made) {
  const moved = !proof || proof.chapter !== made.chapter;
  if (moved) spread = 0;
  proof = made;
  document.title = `${made.title} – Preview`;
  find("book").textContent = made.book;
  showChoices(made);
  showFindings(made.findings);
  for (const part of document.querySelectorAll(".book")) part.hidden = !made.page;
  if (made.page) showFrame(find("page"), `/proof/${made.number}/epub/${made.page}`, `${made.title}, on an e-reader`, moved);
  showLetters(moved);
  showWords();
  say("busy", "Setting the pages …");
}

function showPages(made) {
  pages = made;
  showSpread();
}

function sayDone() {
  const time = new Date().toLocaleTimeString();
  const errors = proof.findings.filter((each) => each.severity === "error").length;
  if (errors) say("trouble", `Up to date at ${time}; ${count(errors, "thing")} would stop a build`);
  else say("made", `Up to date at ${time}`);
}

function showTrouble({ findings }) {
  showFindings(findings);
  say("trouble", `${count(findings.length, "thing")} to mend first; what you see is the last good version`);
}

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function showChoices({ chapters, mail, chapter, layouts, layout }) {
  const choices = JSON.stringify([chapters, mail, chapter, layouts, layout]);
  if (find("chapter").dataset.choices === choices) return; // one of them may be open just now
  find("chapter").dataset.choices = choices;
  const groups = [["Chapters", chapters], ["By mail alone", mail]].filter(([, each]) => each.length);
  find("chapter").replaceChildren(...groups.map(([label, each]) => group(label, each, chapter)));
  find("layout").replaceChildren(...layouts.map((name) => new Option(name, name, false, name === layout)));
}

function group(label, chapters, chosen) {
  const made = Object.assign(document.createElement("optgroup"), { label });
  made.append(...chapters.map(({ slug, title }) => new Option(title, slug, false, slug === chosen)));
  return made;
}

for (const name of ["chapter", "layout"]) {
  find(name).addEventListener("change", (event) => choose(name, event.target.value));
}

function choose(name, value) {
  keep(name, value);
  listen();
}

function keep(name, value) {
  view.set(name, value);
  history.replaceState(null, "", `?${view}`);
}

// -- to mend

function showFindings(findings) {
  const here = findings.filter((each) => each.here || each.severity === "error");
  const elsewhere = findings.filter((each) => !here.includes(each));
  const parts = [here.length ? list(here) : make("p", "fine", "Nothing to mend in this chapter.")];
  if (elsewhere.length) {
    const more = document.createElement("details");
    more.open = find("findings").querySelector("details")?.open ?? false;
    more.append(make("summary", "", `In other chapters: ${elsewhere.length}`), list(elsewhere));
    parts.push(more);
  }
  find("findings").replaceChildren(...parts);
}

function list(findings) {
  const rows = document.createElement("ol");
  for (const { place, rule, severity, message, quote } of findings) {
    const row = make("li", severity, "");
    row.append(make("span", "place", place), `${message} `, make("span", "rule", rule));
    if (quote) row.append(make("span", "quote", quote));
    rows.append(row);
  }
  return rows;
}

// -- on paper

async function showSpread() {
  const slots = [...(pages.left ? [] : [null]), ...pages.pages.keys()];
  const last = Math.ceil(slots.length / 2) - 1;
  spread = Math.max(0, Math.min(spread, last));
  const shown = slots.slice(2 * spread, 2 * spread + 2);
  const labels = shown.filter((page) => page !== null).map((page) => pages.pages[page]);
  const whole = pages.pages.length > labels.length ? ` of ${pages.pages.at(-1)}` : "";
  find("folios").textContent = `${labels.length > 1 ? "Pages" : "Page"} ${labels.join("–")}${whole}`;
  find("back").disabled = spread === 0;
  find("on").disabled = spread === last;
  find("folio-note").textContent = pages.known
    ? "Only this chapter is laid out; its page numbers are those of the last whole build."
    : "Only this chapter is laid out. Its numbers begin at 1 until the whole book has been built.";
  const wanted = `${pages.number}:${pages.turn}:${spread}`;
  find("spread").dataset.wanted = wanted;
  const sheets = await Promise.all(shown.map(drawPage));
  if (find("spread").dataset.wanted === wanted) find("spread").replaceChildren(...sheets);
}

async function drawPage(page) {
  if (page === null) return make("div", "none", "");
  const image = new Image();
  image.alt = `Page ${pages.pages[page]}`;
  image.src = `/proof/${pages.number}/pages/${page}.png?${pages.turn}`;
  await image.decode().catch(() => {});
  return image;
}

function turn(by) {
  spread += by; // the buttons are asleep until there are pages
  showSpread();
}
find("back").addEventListener("click", () => turn(-1));
find("on").addEventListener("click", () => turn(1));

function enlarge(wide) {
  find("paper").classList.toggle("wide", wide);
  find("larger").setAttribute("aria-pressed", wide);
  keep("larger", wide ? "yes" : "no");
}
find("larger").addEventListener("click", () => enlarge(!find("paper").classList.contains("wide")));
if (view.get("larger") === "yes") enlarge(true);

// -- frames: what is new takes the place of the old when it is whole, at the same height

function showFrame(holder, address, title, top) {
  for (const late of holder.querySelectorAll(".waiting")) late.remove();
  const old = holder.querySelector("iframe");
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-same-origin"; // no scripts; this page may keep the place and follow links
  frame.className = "waiting";
  frame.title = title;
  frame.src = address;
  frame.addEventListener("load", () => {
    const inside = frame.contentDocument;
    inside.addEventListener("click", follow);
    if (old && !top) inside.scrollingElement.scrollTop = old.contentDocument.scrollingElement.scrollTop;
    const focused = document.activeElement === old;
    frame.className = "";
    old?.remove();
    if (focused) frame.focus();
  }, { once: true });
  holder.append(frame);
}

function follow(event) {
  const link = event.target.closest("a[href]");
  const href = link?.getAttribute("href");
  if (!href || /^#./.test(href)) return;
  event.preventDefault();
  const chapter = /^([a-z0-9-]+)\.xhtml/.exec(href)?.[1];
  if (chapter && proof.chapters.some((each) => each.slug === chapter)) choose("chapter", chapter);
  else if (/^https?:/.test(href)) window.open(href, "_blank", "noopener");
}

// -- as a letter

function showLetters(top) {
  const { subject, preheader, words, minutes, bytes, sent } = proof.letter;
  const state = document.querySelector("#states input:checked").value;
  find("subject").textContent = subject;
  find("preheader").textContent = preheader;
  find("measure").textContent = `${words.toLocaleString()} words, ${count(minutes, "minute")}, ${Math.ceil(bytes / 1000)} KB.`;
  find("state-note").textContent = STATES[state]?.[1] ?? STATES["forced-dark"][1].replace("A", "Forced dark is a");
  find("sent-note").textContent = sent ? "" : "Not sent yet: a line such as issue: 2026-12-01 in the chapter's header gives it a day.";
  const wanted = state === "all" ? Object.keys(STATES).map((name) => [name, 375]) : [[state, 600], [state, 375]];
  const holder = find("letters");
  if (holder.dataset.shown !== state) holder.replaceChildren(...wanted.map(([name, width]) => makeLetter(name, width)));
  holder.dataset.shown = state;
  [...holder.children].forEach((figure, index) => {
    const [name, width] = wanted[index];
    const title = `Letter, ${STATES[name][0].toLowerCase()}, ${width} pixels wide`;
    showFrame(figure.querySelector(".frame"), `/proof/${proof.number}/letter/${name}.html`, title, top);
  });
}

function makeLetter(name, width) {
  const figure = make("figure", `w${width}`, "");
  const holder = make("div", "frame", "");
  figure.append(make("figcaption", "", `${STATES[name][0]}, ${width} pixels`), holder);
  return figure;
}
find("states").addEventListener("change", () => proof && showLetters(false));

async function showWords() {
  const answer = await fetch(`/proof/${proof.number}/letter/body.txt`);
  if (answer.ok) find("words").textContent = await answer.text();
}

listen();
