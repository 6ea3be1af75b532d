// What is live: parts of a page that the server sends again, and the playground's stream.
// Every page can be read and every form sent without this.
"use strict";

// <section data-live="/live/overview">: the server's HTML takes the place of what is inside.
for (const part of document.querySelectorAll("[data-live]")) {
  const events = new EventSource(part.dataset.live);
  events.addEventListener("part", (event) => { part.innerHTML = event.data; });
  // Signed out, or the node is gone: what stands stays, and is marked as old.
  events.addEventListener("error", () => part.setAttribute("aria-busy", "true"));
  events.addEventListener("open", () => part.removeAttribute("aria-busy"));
}

const form = document.querySelector("form[data-stream]");
if (form) form.addEventListener("submit", (event) => { event.preventDefault(); run(form); });

async function run(form) {
  const answer = document.getElementById("answer");
  const cost = document.getElementById("cost");
  const button = form.querySelector("button[type=submit]");
  answer.replaceChildren();
  cost.textContent = "";
  button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(form));
    // A field named `dataset` takes the place of the form's own property.
    const reply = await fetch(form.getAttribute("data-stream"), { method: "POST", body });
    if (!reply.ok || !reply.body) throw new Error((await reply.text()) || reply.statusText);
    for await (const [kind, data] of frames(reply.body)) take(kind, data, answer, cost);
  } catch (error) {
    add(answer, "bad", error.message);
  } finally {
    button.disabled = false;
  }
}

function take(kind, data, answer, cost) {
  if (kind === "token" && data.removed) takeBack(answer, data.branch, data.removed);
  else if (kind === "token") add(answer, data.kind, data.text, data.branch);
  else if (kind === "cost") cost.textContent = data.text;
  else if (kind === "end") cost.innerHTML = data.html;
  else if (kind === "trouble") add(answer, "bad", data.message + (data.hint ? "\n" + data.hint : ""));
}

// The newest tokens of a branch that still stand are struck out.
function takeBack(answer, branch, count) {
  const standing = [...answer.children].filter((span) => span.dataset.branch === String(branch) && !span.classList.contains("taken-back"));
  for (const span of standing.slice(-count)) span.className = "taken-back";
}

function add(answer, kind, text, branch = 0) {
  const span = document.createElement("span");
  span.dataset.branch = branch;
  span.className = kind;
  span.textContent = text;
  answer.append(span);
}

async function* frames(body) {
  let text = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split("\n");
      const of = (name) => lines.filter((line) => line.startsWith(name + ": ")).map((line) => line.slice(name.length + 2)).join("\n");
      if (of("event")) yield [of("event"), JSON.parse(of("data"))];
    }
  }
}
