"use strict";
// The live page: one stream of events for everything that is chosen. It never stands still without saying so.
(() => {
  const SILENCE_MS = 6000;
  const RECONNECT_MS = 3000;
  const HIDDEN_MS = 60000;
  const ROWS_SHOWN = 100;
  const WIDTH = 300;
  const HEIGHT = 100;
  const about = JSON.parse(document.getElementById("about").textContent);
  const byId = (id) => document.getElementById(id);
  const page = document.querySelector("main");
  const asked = new URLSearchParams(location.search);
  const setup = byId("setup"), router = byId("router"), wantsUsers = byId("users"), search = byId("search");
  const userSearch = byId("user-search"), notice = byId("notice"), status = byId("status"), cards = byId("cards");

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const drawn = (name, attributes = {}) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const remembered = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(`tikwatch.${key}`);
      localStorage.setItem(`tikwatch.${key}`, value);
    } catch { /* a browser that keeps nothing */ }
    return null;
  };

  // Words and numbers
  let language = document.documentElement.lang;
  const t = (key, values = {}) =>
    (about.words[language][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const number = (value, digits = 3) =>
    new Intl.NumberFormat(language, { maximumSignificantDigits: digits }).format(value);
  const scaled = (value, step, units) => {
    let power = 0;
    while (value >= step * 0.9995 && power < units.length - 1) { value /= step; power += 1; }
    return `${number(value)} ${units[power]}`;
  };
  const bits = (value) => value === null || value === undefined ? "–" : scaled(Math.round(value), 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);
  const bytes = (value) => scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
  const DAY = { en: "d", id: "hr" }, HOUR = { en: "h", id: "j" }, MINUTE = { en: "min", id: "mnt" }, SECOND = { en: "s", id: "dtk" };
  const span = (seconds) => {
    if (seconds === null) return "–";
    const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
    if (days) return `${days} ${DAY[language]} ${hours} ${HOUR[language]}`;
    if (hours) return `${hours} ${HOUR[language]} ${minutes} ${MINUTE[language]}`;
    return minutes ? `${minutes} ${MINUTE[language]} ${Math.floor(seconds % 60)} ${SECOND[language]}` : `${Math.floor(seconds)} ${SECOND[language]}`;
  };
  const kindOf = (key) => key.slice(0, key.indexOf(":"));
  const nameOf = (key) => {
    const name = key.slice(key.indexOf(":") + 1);
    return kindOf(key) === "ppp" ? name.replace(/^<[a-z0-9]+-(.*)>$/, "$1") : name;
  };
  const directions = (kind) =>
    kind === "interface" ? ["in", "out"] : kind === "tree" ? ["passed"] : ["download", "upload"];

  // What is chosen
  const chosen = new Map();
  const choose = (key, label) => {
    if (chosen.has(key) || chosen.size >= about.limit) return;
    chosen.set(key, new Card(key, label));
    changed();
  };
  const leave = (key) => {
    chosen.get(key)?.node.remove();
    chosen.delete(key);
    changed();
  };
  const changed = () => {
    showChosen();
    showFull();
    remember();
    if (stream.isOn) stream.renew();
  };
  const showChosen = () => {
    byId("chosen").replaceChildren(...[...chosen.values()].map((card) => {
      const button = element("button", { type: "button", "aria-label": t("remove", { name: card.label }) }, "×");
      button.addEventListener("click", () => { leave(card.key); search.focus(); });
      return element("span", { class: "chip" }, element("b", {}, card.label), element("small", {}, t(card.kind)), button);
    }));
    for (const box of byId("choices").querySelectorAll("input")) box.checked = chosen.has(box.value);
  };
  const showFull = () => {
    const isFull = chosen.size >= about.limit;
    for (const box of byId("choices").querySelectorAll("input")) box.disabled = isFull && !box.checked;
    for (const button of byId("user-rows").querySelectorAll("button")) button.disabled = isFull || chosen.has(button.value);
    if (isFull) put(byId("choices-told"), t("full", { limit: about.limit }));
  };
  const rename = (key, label) => {
    const card = chosen.get(key);
    if (!card || card.label === label) return;
    card.call(label);
    showChosen();
  };
  const parameters = () => {
    const found = new URLSearchParams({ router: router.value });
    for (const key of chosen.keys()) found.append("watch", key);
    if (wantsUsers.checked) found.set("users", "1");
    return found;
  };
  const remember = () => {
    const found = parameters();
    if (stream.isOn) found.set("run", "1");
    history.replaceState(null, "", `/live?${found}`);
  };

  // What there is to choose from
  let kind = "", choicesTimer = 0, choicesAsked = 0, found = null;
  const askChoices = async () => {
    clearTimeout(choicesTimer);
    if (!router.value || !byId("chooser").open) return;
    const mine = ++choicesAsked;
    if (found === null) put(byId("choices-told"), t("loading"));
    const query = new URLSearchParams({ router: router.value, q: search.value, kind });
    try {
      const answer = await fetch(`/live/choices?${query}`);
      const told = answer.ok || answer.status === 502 ? await answer.json() : { message: await answer.text() };
      if (mine !== choicesAsked) return;
      found = answer.ok ? told : { failed: reason(told) };
    } catch {
      if (mine !== choicesAsked) return;
      found = { failed: t("lost", { again: RECONNECT_MS / 1000 }) };
    }
    if (found.failed) choicesTimer = setTimeout(askChoices, RECONNECT_MS);
    showChoices();
  };
  const showChoices = () => {
    if (found === null) return;
    const focused = document.activeElement?.closest?.("#choices") ? document.activeElement.value : null;
    byId("choices").replaceChildren(...(found.choices ?? []).map((choice) => {
      const box = element("input", { type: "checkbox", value: choice.key });
      box.addEventListener("change", () => { if (box.checked) choose(choice.key, choice.label); else leave(choice.key); });
      chosen.get(choice.key)?.call(choice.label);
      const down = choice.up ? "" : ` · ${t("down_link")}`;
      const text = element("span", { title: `${choice.label} ${choice.about}` }, choice.label, " ", element("small", {}, `${choice.about}${down}`));
      return element("label", { class: "choice" }, box, text);
    }));
    if (focused !== null) byId("choices").querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
    const more = (found.matching ?? 0) - (found.choices?.length ?? 0);
    put(byId("choices-told"), found.failed ?? (more > 0 ? t("more", { count: number(more, 6) }) : found.matching ? "" : t("nothing_found")));
    for (const button of setup.querySelectorAll("[data-kind]")) {
      const count = found.kinds?.[button.dataset.kind];
      if (button.dataset.kind) put(button.querySelector("small"), count === undefined ? "" : number(count, 6));
    }
    showChosen();
    showFull();
  };
  const askChoicesSoon = () => { clearTimeout(choicesTimer); choicesTimer = setTimeout(askChoices, 200); };

  // One chart
  class Card {
    constructor(key, label) {
      this.key = key;
      this.kind = kindOf(key);
      this.points = [];
      this.node = element("article", { class: "card", "data-key": key });
      this.heading = element("h2");
      this.numbers = directions(this.kind).map((_, at) => {
        const [word, value] = [element("dt"), element("dd")];
        return { word, value, node: element("div", { class: at ? "other" : "" }, word, value) };
      });
      this.svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", tabindex: "0" });
      for (const y of [0.5, 50, 99.5]) this.svg.append(drawn("line", { class: "grid", x1: 0, x2: WIDTH, y1: y, y2: y }));
      this.area = drawn("path", { class: "area" });
      this.lines = [drawn("path", { class: "one" }), drawn("path", { class: "other-line" })];
      this.cursor = drawn("line", { class: "cursor", y1: 0, y2: HEIGHT, visibility: "hidden" });
      this.svg.append(this.area, ...this.lines, this.cursor);
      this.scale = element("p", { class: "scale" });
      this.tip = element("span", { class: "tip", role: "status", hidden: "" });
      this.ends = [element("span"), element("span")];
      this.node.append(
        element("header", {}, this.heading, this.scale),
        element("dl", { class: "numbers" }, ...this.numbers.map((one) => one.node)),
        element("div", { class: "chart" }, this.svg, this.tip), element("div", { class: "axis" }, ...this.ends),
      );
      this.svg.addEventListener("pointermove", (move) => {
        const box = this.svg.getBoundingClientRect();
        this.point(this.nearest(this.end() - (1 - (move.clientX - box.left) / box.width) * about.history_s));
      });
      this.svg.addEventListener("pointerleave", () => this.point(-1));
      this.svg.addEventListener("blur", () => this.point(-1));
      this.svg.addEventListener("keydown", (press) => {
        const step = { ArrowLeft: -1, ArrowRight: 1, Home: -this.points.length, End: this.points.length }[press.key];
        if (step === undefined || !this.points.length) return;
        press.preventDefault();
        const from = this.pointed ?? this.points.length;
        this.point(Math.max(0, Math.min(this.points.length - 1, from + step)));
      });
      this.call(label ?? nameOf(key));
      cards.append(this.node);
      this.show();
    }
    call(label) {
      if (this.label === label) return;
      this.label = label;
      this.show();
    }
    end() { return Math.max(clock.latest, this.points.at(-1)?.[0] ?? 0); }
    add(points) {
      for (const point of points) if (point[0] > (this.points.at(-1)?.[0] ?? 0)) this.points.push(point);
      const oldest = this.end() - about.history_s;
      while (this.points.length && this.points[0][0] < oldest) this.points.shift();
    }
    nearest(moment) {
      let best = -1;
      this.points.forEach((point, at) => { if (best < 0 || Math.abs(point[0] - moment) < Math.abs(this.points[best][0] - moment)) best = at; });
      return best;
    }
    point(at) {
      this.pointed = at < 0 ? undefined : at;
      const point = this.points[at];
      this.cursor.setAttribute("visibility", point ? "visible" : "hidden");
      this.tip.hidden = !point;
      if (!point) return;
      const x = this.x(point[0]);
      this.cursor.setAttribute("x1", x);
      this.cursor.setAttribute("x2", x);
      const words = directions(this.kind).map((word, which) => `${t(word)} ${bits(point[which + 1])}`);
      put(this.tip, `${new Date(point[0] * 1000).toLocaleTimeString(language)} · ${words.join(" · ")}`);
      this.tip.style.left = x < WIDTH / 2 ? `${x / WIDTH * 100}%` : "auto";
      this.tip.style.right = x < WIDTH / 2 ? "auto" : `${100 - x / WIDTH * 100}%`;
    }
    x(moment) { return Math.max(0, WIDTH - (this.end() - moment) / about.history_s * WIDTH); }
    path(which, ceiling) {
      let text = "", before = null, from = 0, area = "";
      const close = () => { if (before !== null && text) area += ` L${this.x(before).toFixed(2)} ${HEIGHT} L${from} ${HEIGHT} Z`; };
      for (const point of this.points) {
        const value = point[which];
        if (value === null || value === undefined) { close(); before = null; continue; }
        const x = this.x(point[0]).toFixed(2), y = (HEIGHT - 0.5 - value / ceiling * (HEIGHT - 1)).toFixed(2);
        const isNew = before === null || point[0] - before > 3 * clock.period_s;
        if (isNew) { close(); from = x; }
        text += `${isNew ? "M" : "L"}${x} ${y}`;
        area += `${isNew ? "M" : "L"}${x} ${y}`;
        before = point[0];
      }
      close();
      return [text, area];
    }
    show() {
      const last = this.points.at(-1);
      this.heading.replaceChildren(this.label, " ", element("small", {}, t(this.kind)));
      this.heading.title = this.key.slice(this.key.indexOf(":") + 1);
      const words = directions(this.kind);
      this.numbers.forEach((one, which) => {
        const value = last?.[which + 1];
        put(one.word, t(words[which]));
        put(one.value, value === null || value === undefined ? "–" : bits(value));
        one.value.dataset.bits = value ?? "";
      });
      const highest = Math.max(0, ...this.points.flatMap((point) => [point[1] ?? 0, point[2] ?? 0]));
      const isThere = last !== undefined && (last[1] !== null || last[2] !== null);
      const isAbsent = last !== undefined && !isThere && this.points.length > 1;
      put(this.scale, isAbsent ? t("absent") : highest ? t("highest", { rate: bits(highest) }) : stream.isOn && !last ? t("measuring") : "");
      const ceiling = highest * 1.06 || 1;
      this.lines.forEach((line, which) => {
        const [path, area] = which < words.length ? this.path(which + 1, ceiling) : ["", ""];
        line.setAttribute("d", path);
        if (which === 0) this.area.setAttribute("d", area);
      });
      put(this.ends[0], t("minutes_ago"));
      put(this.ends[1], page.classList.contains("old") && last ? new Date(last[0] * 1000).toLocaleTimeString(language) : t("now"));
      const told = { name: this.label, one: t(words[0]), one_rate: bits(last?.[1]), highest: bits(highest) };
      if (words.length > 1) Object.assign(told, { other: t(words[1]), other_rate: bits(last?.[2]) });
      this.svg.setAttribute("aria-label", t(words.length > 1 ? "chart" : "chart_one", told));
      if (this.pointed !== undefined) this.point(Math.min(this.pointed, this.points.length - 1));
    }
  }
  const showCards = () => { for (const card of chosen.values()) card.show(); };

  // The table of users
  const COLUMNS = { name: [1, 0], address: [2, 2], uptime: [3, 3], down: [4, 4], up: [5, 5], total: [6, 7] };
  const sorting = { column: "down", down: true };
  let online = null, showsAll = false, sentWords = "";
  const rows = new Map();
  const inOrder = (list) => {
    const [at, next] = COLUMNS[sorting.column];
    const sign = sorting.down ? -1 : 1;
    const value = sorting.column === "total" ? (row) => (row[6] ?? 0) + (row[7] ?? 0)
      : sorting.column === "address" ? (row) => row[at].split(".").map((part) => part.padStart(3, "0")).join(".") : (row) => row[at] ?? -1;
    const compare = (one, other) => one < other ? -1 : one > other ? 1 : 0;
    return [...list].sort((one, other) => sign * compare(value(one), value(other)) || compare(one[1], other[1]) || compare(one[next], other[next]));
  };
  const isCut = () => online !== null && (sentWords !== "" || online.rows.length < online.online);
  const showUsers = () => {
    byId("online").hidden = !wantsUsers.checked;
    if (online === null || !wantsUsers.checked) { byId("user-rows").replaceChildren(); rows.clear(); put(byId("online-told"), ""); return; }
    const words = userSearch.value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (row) => words.every((word) => `${row[1]}\n${row[2]}\n${row[0]}`.toLowerCase().includes(word));
    const matching = isCut() ? online.rows : online.rows.filter(has);
    const count = isCut() ? online.matching : matching.length;
    const shown = inOrder(matching).slice(0, showsAll ? matching.length : ROWS_SHOWN);
    const told = [count < online.online ? t("users_matching", { matching: number(count, 9), count: t("users_online", { count: number(online.online, 9) }) }) : t("users_online", { count: number(online.online, 9) })];
    if (matching.length < count) told.push(t("users_cut", { shown: number(matching.length, 9) }));
    if (!count) told.push(t(online.online ? "nobody_matches" : "nobody"));
    put(byId("online-told"), told.join(" · "));
    const focused = document.activeElement?.closest?.("#user-rows") ? document.activeElement : null;
    const seen = new Set();
    const nodes = shown.map((row) => {
      let id = row[8] || `${row[0]} ${row[1]} ${row[2]}`;
      while (seen.has(id)) id += "+";
      seen.add(id);
      if (!rows.has(id)) rows.set(id, userRow());
      return fill(rows.get(id), row);
    });
    for (const id of rows.keys()) if (!seen.has(id)) rows.delete(id);
    const body = byId("user-rows");
    if (nodes.length !== body.children.length || nodes.some((node, at) => body.children[at] !== node)) {
      body.replaceChildren(...nodes);
      focused?.focus({ preventScroll: true });
    }
    byId("show-all").hidden = matching.length <= shown.length;
    put(byId("show-all"), t("show_all", { count: number(matching.length, 9) }));
    for (const head of document.querySelectorAll("#online th[data-column]")) {
      if (head.dataset.column === sorting.column) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  };
  const userRow = () => {
    const cells = ["", "address", "uptime", "rate_down", "rate_up", "total", ""].map((key, at) => element("td", { class: at > 1 && at < 6 ? "number" : "", ...(key ? { "data-words": key } : {}) }));
    const name = element("span", { class: "name" }), service = element("span", { class: "sub" });
    const button = element("button", { type: "button" });
    button.addEventListener("click", () => choose(button.value, button.dataset.name));
    cells[0].append(name, service);
    cells[6].append(button);
    return { node: element("tr", {}, ...cells), cells, name, service, button };
  };
  const fill = (made, row) => {
    put(made.name, row[1] || "–");
    put(made.service, row[0]);
    const totals = (row[6] === null && row[7] === null) ? "–" : bytes((row[6] ?? 0) + (row[7] ?? 0));
    [row[2] || "–", span(row[3]), bits(row[4]), bits(row[5]), totals].forEach((text, at) => put(made.cells[at + 1], text));
    for (const cell of made.cells) if (cell.dataset.words) cell.dataset.label = t(cell.dataset.words);
    made.button.hidden = !row[8];
    made.button.value = row[8];
    made.button.dataset.name = row[1];
    put(made.button, t("watch"));
    made.button.setAttribute("aria-label", t("watch_user", { name: row[1] }));
    made.button.disabled = chosen.has(row[8]) || chosen.size >= about.limit;
    return made.node;
  };

  // What is going on
  const clock = { latest: 0, period_s: about.period_s };
  const reason = (told) => {
    const known = about.words[language][told.class];
    return known && known !== told.message ? `${known} (${told.message})` : told.message ?? known;
  };
  let shown = { state: "stopped", key: "stopped", values: {}, notice: null, more: 0 };
  const show = (changes) => {
    shown = { ...shown, ...changes };
    status.dataset.state = shown.state;
    put(byId("status-text"), t(shown.key, shown.values));
    put(byId("status-more"), shown.state === "live" && shown.more > 1 ? `· ${t("viewers", { count: shown.more })}` : "");
    const [key, values] = shown.notice ?? [];
    notice.hidden = !key;
    put(notice, key ? t(key, { ...values, ...(values?.told ? { reason: reason(values.told) } : {}) }) : "");
    const isOld = shown.state === "failing";
    if (page.classList.toggle("old", isOld) !== shown.wasOld) showCards();
    shown.wasOld = isOld;
    byId("start").disabled = stream.isOn;
    byId("stop").disabled = !stream.isOn;
  };
  const fail = (key, values) => show({ state: "failing", key: "held", notice: [key, values] });

  // The stream
  const EVENTS = {
    hello(told) {
      clock.period_s = told.period_s;
      for (const [key, points] of Object.entries(told.history)) chosen.get(key)?.add(points);
      clock.latest = Math.max(clock.latest, told.now_s);
      showCards();
    },
    sample(told) {
      clock.latest = told.t;
      for (const [key, rates] of Object.entries(told.rates)) chosen.get(key)?.add([[told.t, ...rates]]);
      for (const [key, label] of Object.entries(told.labels ?? {})) rename(key, label);
      for (const card of chosen.values()) card.node.classList.toggle("old", !(card.key in told.rates) && card.points.length > 0);
      const missing = Object.entries(told.missing).map(([menu, why]) => `${menu}: ${reason(why)}`);
      const values = { router: stream.router, period: number(clock.period_s) };
      show({ state: "live", key: "running", values, more: told.viewers, notice: missing.length ? ["partly", { what: missing.join("; ") }] : null });
      showCards();
    },
    users(told) { online = told; showUsers(); },
    waiting(told) { fail("slow", { router: stream.router, for_s: number(told.for_s) }); },
    resting() { /* a sign of life is all it is */ },
    failure(told) {
      const values = { router: stream.router, failures: told.failures, limit: told.limit, again: number(told.again_in_s), told };
      stream.pause_ms = told.restart ? told.again_in_s * 1000 : 0;
      fail(told.restart ? "restarting" : "failing", values);
    },
  };
  const stream = {
    isOn: false, router: "", heard: 0, control: null, timer: 0, pause_ms: 0, hiddenSince: 0,
    start() {
      stream.isOn = true;
      show({ state: "connecting", key: "connecting", notice: null });
      remember();
      stream.open();
    },
    stop() {
      stream.isOn = false;
      stream.cut();
      show({ state: "stopped", key: "stopped", notice: null });
      showCards();
      remember();
    },
    cut() {
      clearTimeout(stream.timer);
      stream.control?.abort();
      stream.control = null;
    },
    renew() {
      if (!chosen.size && !wantsUsers.checked) { stream.stop(); return; }
      clearTimeout(stream.timer);
      stream.timer = setTimeout(stream.open, 150);
    },
    again(wait_ms) {
      stream.cut();
      stream.heard = performance.now();
      if (stream.isOn) stream.timer = setTimeout(stream.open, wait_ms);
    },
    async open() {
      const before = stream.control;
      clearTimeout(stream.timer);
      const mine = stream.control = new AbortController();
      if (stream.router !== router.value) { online = null; showUsers(); }
      stream.router = router.value;
      stream.heard = performance.now();
      stream.pause_ms = 0;
      const query = parameters();
      sentWords = isCut() ? userSearch.value.trim() : "";
      if (sentWords) query.set("q", sentWords);
      try {
        const answering = fetch(`/live/stream?${query}`, { headers: { Accept: "text/event-stream" }, signal: mine.signal });
        before?.abort();
        const answer = await answering;
        if (!answer.ok) {
          const why = (await answer.text()).trim();
          if (mine !== stream.control) return;
          fail("refused", { reason: `${why.slice(0, 200)}.`, again: RECONNECT_MS / 1000 });
          stream.again(RECONNECT_MS);
          return;
        }
        await stream.read(answer.body.getReader(), mine);
        if (mine !== stream.control) return;
        if (!stream.pause_ms) fail("lost", { again: number(RECONNECT_MS / 3000) });
        stream.again(stream.pause_ms || RECONNECT_MS / 3);
      } catch {
        if (mine !== stream.control) return;
        fail("lost", { again: RECONNECT_MS / 1000 });
        stream.again(RECONNECT_MS);
      }
    },
    async read(reader, mine) {
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done || mine !== stream.control) return;
        text += decoder.decode(value, { stream: true });
        const whole = text.split("\n\n");
        text = whole.pop();
        for (const one of whole) stream.take(one);
      }
    },
    take(text) {
      const [, name] = /^event: (.*)$/m.exec(text) ?? [], [, data] = /^data: (.*)$/m.exec(text) ?? [];
      if (!(name in EVENTS)) return;
      stream.heard = performance.now();
      EVENTS[name](JSON.parse(data));
    },
    watch() {
      if (!stream.isOn || document.hidden || stream.pause_ms) return;
      const silent_ms = performance.now() - stream.heard;
      if (silent_ms < SILENCE_MS) return;
      fail("silent", { for_s: Math.round(silent_ms / 1000) });
      stream.again(0);
    },
  };
  setInterval(stream.watch, 1000);
  let hiding = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (!stream.isOn) return;
    if (document.hidden) {
      hiding = setTimeout(() => { stream.cut(); stream.paused = true; show({ state: "failing", key: "stopped", notice: ["hidden", {}] }); }, HIDDEN_MS);
    } else if (stream.paused) {
      stream.paused = false;
      stream.open();
    } else stream.heard = performance.now();
  });

  // What a person does
  const begin = () => {
    byId("chooser").open = false;
    stream.start();
  };
  setup.addEventListener("submit", (submit) => {
    submit.preventDefault();
    if (stream.isOn) return;
    if (!chosen.size && !wantsUsers.checked) { show({ notice: ["need_choice", {}] }); search.focus(); return; }
    begin();
  });
  byId("stop").addEventListener("click", () => { stream.stop(); byId("start").focus(); });
  router.addEventListener("change", () => {
    for (const card of chosen.values()) card.node.remove();
    chosen.clear();
    found = null;
    online = null;
    byId("choices").replaceChildren();
    showUsers();
    changed();
    askChoices();
  });
  wantsUsers.addEventListener("change", () => { online = null; showUsers(); changed(); });
  search.addEventListener("input", askChoicesSoon);
  search.addEventListener("keydown", (press) => { if (press.key === "Enter") press.preventDefault(); });
  byId("chooser").addEventListener("toggle", () => { if (byId("chooser").open && !choicesAsked) askChoices(); });
  for (const button of setup.querySelectorAll("[data-kind]")) button.addEventListener("click", () => {
    kind = button.dataset.kind;
    for (const other of setup.querySelectorAll("[data-kind]")) other.setAttribute("aria-pressed", String(other === button));
    askChoices();
  });
  let searching = 0;
  userSearch.addEventListener("input", () => {
    clearTimeout(searching);
    if (isCut()) searching = setTimeout(() => { if (stream.isOn) stream.renew(); }, 400);
    showUsers();
  });
  for (const button of document.querySelectorAll("[data-sort]")) button.addEventListener("click", () => {
    const column = button.dataset.sort;
    const isSame = sorting.column === column;
    Object.assign(sorting, { column, down: isSame ? !sorting.down : !["name", "address"].includes(column) });
    showUsers();
  });
  byId("show-all").addEventListener("click", () => { showsAll = true; showUsers(); });

  const speak = (wanted) => {
    language = wanted;
    document.documentElement.lang = wanted;
    document.title = `${t("title")} - tikwatch`;
    for (const node of document.querySelectorAll("[data-t]")) put(node, t(node.dataset.t, { limit: node.dataset.limit }));
    for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = t(node.dataset.placeholder);
    for (const node of document.querySelectorAll("[data-label]:not(td)")) node.setAttribute("aria-label", t(node.dataset.label));
    byId("language").lang = wanted === "en" ? "id" : "en";
    showChosen();
    showChoices();
    showCards();
    showUsers();
    show({});
  };
  byId("language").addEventListener("click", () => {
    speak(language === "en" ? "id" : "en");
    remembered("language", language);
  });

  if ([...router.options].some((option) => option.value === asked.get("router"))) router.value = asked.get("router");
  wantsUsers.checked = asked.get("users") === "1";
  for (const key of asked.getAll("watch")) if (kindOf(key) && chosen.size < about.limit) chosen.set(key, new Card(key));
  const kept = asked.has("lang") ? null : remembered("language");
  speak(kept in about.words ? kept : language);
  askChoices();
  if (asked.get("run") === "1" && (chosen.size || wantsUsers.checked)) begin();
})();
