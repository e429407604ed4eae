// The phone: chats, bubbles, ticks; live by server-sent events. Whatever comes in is put on the page as text only.
import { marked, unmarked } from "./marks.js";

const RETRY_MS = 2000;
const NEAR_END_PX = 80;
const TICKS = {
  pending: ["clock", "", "on its way"],
  server_ack: ["tick", "", "the server has it"],
  delivered: ["ticks", "", "delivered"],
  read: ["ticks", "read", "read"],
  failed: ["cross", "wrong", "failed"],
};
const byId = (id) => document.getElementById(id);
const app = byId("app");
const messages = new Map();
const nodes = new Map();
const names = new Map();
let open = null;
let quoted = null;

function make(name, kind, text) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

async function ask(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer.json();
}

// -- how things are called

function isGroup(chat) {
  return chat.endsWith("@g.us");
}

function isFallback(chat) {
  return chat.startsWith("fallback:");
}

function numberOf(digits) {
  const found = digits.match(/^(62)(\d{3})(\d{4})(\d+)$/);
  return found ? `+${found[1]} ${found[2]}-${found[3]}-${found[4]}` : `+${digits}`;
}

function nameOf(chat) {
  if (names.has(chat)) return names.get(chat);
  if (isFallback(chat)) return `Fallback: ${chat.slice("fallback:".length)}`;
  if (isGroup(chat)) return `Group ${chat.slice(-9, -5)}`;
  return /^\d+$/.test(chat) ? numberOf(chat) : chat;
}

function faceOf(chat) {
  if (isFallback(chat)) return "F";
  if (isGroup(chat)) return "G";
  return names.has(chat) ? names.get(chat).slice(0, 1).toUpperCase() : chat.slice(-2);
}

function timeOf(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function dayOf(seconds) {
  return new Date(seconds * 1000).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

function tick(state) {
  const [symbol, kind, title] = TICKS[state] || TICKS.pending;
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${symbol}`);
  made.setAttribute("class", kind);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", title);
  made.dataset.state = state;
  made.append(use);
  return made;
}

// -- the list of chats

function chats() {
  const found = new Map();
  for (const message of messages.values()) {
    const chat = found.get(message.to) || { chat: message.to, unread: 0 };
    chat.last = message;
    if (message.direction === "out" && message.state === "delivered") chat.unread += 1;
    found.set(message.to, chat);
  }
  return [...found.values()].sort((one, other) => other.last.seq - one.last.seq);
}

function drawChats() {
  const items = chats().map(({ chat, last, unread }) => {
    const button = make("button");
    button.type = "button";
    button.dataset.chat = chat;
    if (chat === open) button.setAttribute("aria-current", "true");
    const about = make("span", "about");
    const first = make("span", "line");
    first.append(make("span", "name", nameOf(chat)), make("span", "when", timeOf(last.at)));
    const second = make("span", "line");
    const text = `${last.direction === "in" ? "You: " : ""}${unmarked(last.text) || "Photo"}`;
    second.append(make("span", "last", text));
    if (unread && chat !== open) second.append(make("span", "count", String(unread)));
    about.append(first, second);
    button.append(make("span", "face", faceOf(chat)), about);
    button.addEventListener("click", () => show(chat));
    const item = make("li");
    item.append(button);
    return item;
  });
  byId("chat-list").replaceChildren(...items);
  byId("no-chats").hidden = items.length > 0;
}

// -- one chat

function said(message) {
  const original = [...messages.values()].find((one) => one.to === message.to && one.id === message.quoted_id);
  const text = original ? unmarked(original.text).slice(0, 160) : `message ${message.quoted_id}`;
  const made = make("button", "said", text);
  made.type = "button";
  made.addEventListener("click", () => {
    const node = original && nodes.get(original.seq);
    if (!node) return;
    node.scrollIntoView({ block: "center" });
    node.classList.add("flash");
    node.addEventListener("animationend", () => node.classList.remove("flash"), { once: true });
  });
  return made;
}

function bubble(message) {
  const mine = message.direction === "in";
  const made = make("li", `bubble ${mine ? "mine" : "theirs"}`);
  made.dataset.seq = message.seq;
  if (!mine && (message.state === "pending" || message.state === "server_ack")) made.classList.add("away");
  if (message.state === "failed") made.classList.add("failed");
  if (mine && isGroup(message.to)) made.append(make("p", "who", message.name || nameOf(message.from)));
  if (message.quoted_id) made.append(said(message));
  if (message.image) {
    const picture = make("img");
    picture.src = message.image.replace(/^\//, "");
    picture.alt = "Picture";
    picture.addEventListener("load", toEnd);
    made.append(picture);
  }
  const text = make("div", "text");
  text.append(marked(message.text));
  made.append(text);
  if (message.error) made.append(make("p", "error", `not delivered: ${message.error}`));
  const meta = make("div", "meta");
  meta.append(make("span", "via", message.template ? `${message.via}, template ${message.template}` : message.via));
  const reply = make("button", "reply", "\u21a9");
  reply.type = "button";
  reply.setAttribute("aria-label", "Quote this message");
  reply.addEventListener("click", () => quote(message));
  if (!isFallback(message.to)) meta.append(reply);
  meta.append(make("time", "", timeOf(message.at)), tick(message.state));
  made.append(meta);
  return made;
}

let following = true;

function toEnd() {
  const list = byId("bubbles");
  if (following) list.scrollTop = list.scrollHeight;
}

function place(message) {
  const made = bubble(message);
  const before = nodes.get(message.seq);
  nodes.set(message.seq, made);
  if (before) {
    before.replaceWith(made);
    return;
  }
  const list = byId("bubbles");
  const day = dayOf(message.at);
  if (list.dataset.day !== day) {
    list.dataset.day = day;
    list.append(make("li", "day", day));
  }
  list.append(made);
}

function drawChat() {
  const list = byId("bubbles");
  list.replaceChildren();
  delete list.dataset.day;
  nodes.clear();
  if (open === null) return;
  byId("title").textContent = nameOf(open);
  const kind = isFallback(open) ? "messages that took another way" : isGroup(open) ? "group" : numberOf(open);
  byId("subtitle").textContent = kind === byId("title").textContent ? "this phone" : kind;
  byId("face").textContent = faceOf(open);
  byId("write").hidden = isFallback(open);
  byId("as").hidden = !isGroup(open);
  for (const message of messages.values()) if (message.to === open) place(message);
  following = true;
  toEnd();
}

let reading = null;

function read() {
  if (open === null || document.hidden || reading !== null) return;
  const unread = [...messages.values()].some(
    (one) => one.to === open && one.direction === "out" && one.state === "delivered",
  );
  if (!unread) return;
  reading = setTimeout(() => {
    reading = null;
    ask("POST", "phone/read", { chat: open }).catch(() => {});
  }, 400);
}

function show(chat) {
  open = chat;
  app.dataset.view = chat === null ? "list" : "chat";
  quote(null);
  drawChat();
  drawChats();
  read();
}

function quote(message) {
  quoted = message;
  byId("quote").hidden = message === null;
  byId("quote-text").textContent = message === null ? "" : unmarked(message.text);
  if (message !== null) byId("text").focus();
}

// -- writing

async function send() {
  const box = byId("text");
  const text = box.value.trim();
  if (!text || open === null) return;
  const body = { text, chat: open, from: isGroup(open) ? byId("as").value.trim() : open };
  if (quoted !== null) body.quoted_id = quoted.id;
  following = true;
  try {
    await ask("POST", "phone/inbound", body);
    box.value = "";
    quote(null);
    fit();
  } catch (error) {
    box.setCustomValidity(error.message);
    box.reportValidity();
    box.setCustomValidity("");
  }
}

function fit() {
  const box = byId("text");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

// -- the panel

function drawPanel(panel) {
  byId("panel").hidden = panel.length === 0;
  byId("open-panel").hidden = panel.length === 0;
  byId("buttons").replaceChildren(
    ...panel.map((about, index) => {
      const button = make("button", "", about.label);
      button.type = "button";
      button.addEventListener("click", async () => {
        button.setAttribute("aria-busy", "true");
        try {
          const answer = await ask("POST", `phone/panel/${index}`, {});
          byId("pressed").textContent = `${about.label}: ${answer.status}\n${answer.text.slice(0, 300)}`;
        } catch (error) {
          byId("pressed").textContent = `${about.label}: ${error.message}`;
        }
        button.removeAttribute("aria-busy");
      });
      const item = make("li");
      item.append(button);
      return item;
    }),
  );
}

// -- what comes in

function hear(event) {
  if (event.cleared) {
    messages.clear();
    show(null);
  }
  if (event.behind) refresh();
  if (event.panel) drawPanel(event.panel);
  if (event.message) {
    messages.set(event.message.seq, event.message);
    drawSoon();
    if (event.message.to === open) {
      place(event.message);
      toEnd();
      read();
    }
  }
}

let drawing = false;

function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawChats();
  });
}

// Everything anew: at the beginning, after a break, and when too much came at once.
async function refresh() {
  const before = [...messages.keys()];
  const [found, people, panel] = await Promise.all([
    ask("GET", "phone/messages"), ask("GET", "phone/people"), ask("GET", "phone/panel"),
  ]);
  const listed = new Set(found.map((message) => message.seq));
  for (const seq of before) if (!listed.has(seq)) messages.delete(seq);
  for (const message of found) {
    const known = messages.get(message.seq);  // may have come further since the list was made
    const further = known && known.id === message.id && Object.keys(known.states).length > Object.keys(message.states).length;
    if (!further) messages.set(message.seq, message);
  }
  for (const person of people) if (person.name) names.set(person.number, person.name);
  drawPanel(panel);
  drawChats();
  drawChat();
  read();
}

function listen() {
  const source = new EventSource("phone/events");
  source.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  source.addEventListener("open", () => {
    byId("lost").hidden = true;
    refresh();
  });
  source.addEventListener("error", () => {
    byId("lost").hidden = false;
    source.close();
    setTimeout(listen, RETRY_MS);
  });
}

byId("back").addEventListener("click", () => show(null));
byId("no-quote").addEventListener("click", () => quote(null));
byId("open-panel").addEventListener("click", () => { app.dataset.panel = "open"; });
byId("close-panel").addEventListener("click", () => { delete app.dataset.panel; });
byId("text").addEventListener("input", fit);
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
byId("write").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
byId("bubbles").addEventListener("scroll", () => {
  const list = byId("bubbles");
  following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
});
document.addEventListener("visibilitychange", read);
listen();
