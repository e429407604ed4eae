"use strict";
// Asks for the same page again and puts its new parts in the place of the old ones; the server does the rest.
// What somebody is writing, reading or has opened stays as it is.
(() => {
  const PERIOD_MS = 5000;
  const PARTS = ["totals", "firing", "dead", "messages", "channels", "limits", "account"];
  const search = document.getElementById("q");
  const lost = document.getElementById("lost");
  let timer = 0;
  let asked = 0;

  const isRead = (part) => {
    const selection = document.getSelection();
    return !selection.isCollapsed && part.contains(selection.anchorNode);
  };
  const isInUse = (form) =>
    form.contains(document.activeElement) || [...form.elements].some((one) => one.type === "text" && one.value !== one.defaultValue);
  const byKey = (root, name, key) => root.querySelector(`[data-${name}="${CSS.escape(key)}"]`);

  const keepForms = (old, fresh) => {
    for (const form of old.querySelectorAll("form[data-keep]")) {
      if (!isInUse(form)) continue;
      const twin = byKey(fresh, "keep", form.dataset.keep);
      if (twin) twin.replaceWith(form);
    }
  };
  const keepOpen = (old, fresh) => {
    for (const open of old.querySelectorAll("[data-key] details[open]")) {
      const twin = byKey(fresh, "key", open.closest("[data-key]").dataset.key);
      if (twin) twin.querySelector("details").open = true;
    }
  };
  const orphaned = (old, fresh) =>
    [...old.querySelectorAll("form[data-keep]")].some((form) => isInUse(form) && !byKey(fresh, "keep", form.dataset.keep));

  const put = (page) => {
    document.title = page.title;
    const active = document.activeElement;
    const href = active?.getAttribute("href");
    const caret = active?.name === "reason" ? [active.selectionStart, active.selectionEnd] : null;
    for (const id of PARTS) {
      const old = document.getElementById(id);
      const fresh = document.adoptNode(page.getElementById(id));
      if (isRead(old) || orphaned(old, fresh)) continue;
      keepOpen(old, fresh);
      keepForms(old, fresh);
      old.replaceWith(fresh);
    }
    if (caret && active !== document.activeElement) {
      active.focus({ preventScroll: true });
      active.setSelectionRange(...caret);
    } else if (href && document.activeElement === document.body) {
      document.querySelector(`main a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    }
  };

  const refresh = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    const began = performance.now();
    try {
      const answer = await fetch(location.origin + "/" + location.search, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(`the bridge answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      put(page);
      lost.hidden = true;
    } catch (error) {
      if (mine !== asked) return;
      if (lost.hidden) lost.textContent = lost.dataset.told.replace("{0}", new Date().toLocaleTimeString());
      lost.hidden = false;
    }
    plan(Math.max(PERIOD_MS, 20 * (performance.now() - began)));
  };

  const plan = (delay) => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, delay);
  };

  search.addEventListener("input", () => {
    const url = new URL(location.href);
    if (search.value.trim()) url.searchParams.set("q", search.value);
    else url.searchParams.delete("q");
    url.searchParams.delete("page");
    history.replaceState(null, "", url.pathname + url.search);
    plan(200);
  });
  document.addEventListener("visibilitychange", () => plan(0));
  plan(PERIOD_MS);
})();
