"use strict";
// Asks for the same page again and puts its new parts in the place of the old ones; the server does the rest.
(() => {
  const PERIOD_MS = 5000;
  const PARTS = ["totals", "fleet"];
  const search = document.getElementById("q");
  const lost = document.getElementById("lost");
  let timer = 0;
  let asked = 0;

  const isReading = () => {
    const fleet = document.getElementById("fleet");
    const selection = document.getSelection();
    return !selection.isCollapsed && fleet.contains(selection.anchorNode);
  };

  const put = (page) => {
    document.title = page.title;
    const focused = document.activeElement?.getAttribute("href");
    for (const id of PARTS) document.getElementById(id).replaceWith(page.getElementById(id));
    if (focused) document.querySelector(`#fleet a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    const began = performance.now();
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(`the exporter answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      if (!isReading()) put(page);
      lost.hidden = true;
    } catch (error) {
      if (mine !== asked) return;
      if (lost.hidden) lost.querySelector("time").textContent = new Date().toLocaleTimeString();
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
    history.replaceState(null, "", url);
    plan(200);
  });
  document.addEventListener("visibilitychange", () => plan(0));
  plan(PERIOD_MS);
})();
