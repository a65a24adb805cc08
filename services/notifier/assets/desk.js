// The desk without it works by reloading; with it the page keeps itself fresh and the keyboard moves faster.
(() => {
  "use strict";
  const EVERY = 5000;
  const SLOWLY = 30000;
  const byId = id => document.getElementById(id);

  // Keeping fresh: when the stream says so (live.js), and now and again for what it does not tell (how long ago
  // something was), the page is asked for anew, and what changed is put in place. The server answers 304 while
  // nothing did. What somebody is typing, has ticked or has opened stays; so does the focus.

  let tag = null;
  let failed = 0;

  const typedIn = part => [...part.querySelectorAll("textarea, input:not([type=hidden]):not([type=checkbox])")]
    .some(field => field.value !== field.defaultValue)
    || [...part.querySelectorAll("select")].some(field => {
      const first = [...field.options].find(option => option.defaultSelected) || field.options[0];
      return first && field.value !== first.value;
    });

  const writing = part => {
    const at = document.activeElement;
    return typedIn(part) || (part.contains(at) && /^(TEXTAREA|SELECT|INPUT)$/.test(at.tagName) && at.type !== "checkbox");
  };

  // What the server last said of each part: what is opened or ticked since does not count as a change.
  const seen = new WeakMap();

  function carryOver(old, fresh) {
    for (const had of old.querySelectorAll("details[id]")) {
      const has = fresh.querySelector(`#${CSS.escape(had.id)}`);
      if (has) has.open = had.open || has.open;
    }
    for (const had of old.querySelectorAll("input[type=checkbox][id]")) {
      const has = fresh.querySelector(`#${CSS.escape(had.id)}`);
      if (has) has.checked = had.checked;
    }
  }

  function placeOf(at) {
    const item = at && at.closest && at.closest("[data-part][id]");
    if (!item) return null;
    const path = [...item.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")].indexOf(at);
    return { id: at.id, item: item.id, path };
  }

  function backTo(place) {
    if (!place) return;
    const at = place.id && byId(place.id);
    const item = byId(place.item);
    const inside = item && place.path >= 0
      ? item.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")[place.path] : item;
    const next = at || inside || item;
    if (next && document.activeElement !== next) next.focus({ preventScroll: true });
  }

  function sayChanged(part) {
    if (part.querySelector(".meanwhile")) return;
    const told = document.createElement("p");
    told.className = "meanwhile";
    told.setAttribute("role", "status");
    told.textContent = byId("fresh").dataset.changed;
    part.prepend(told);
  }

  function renew(region, fresh) {
    const was = new Map([...region.children].map(part => [part.id, part]));
    const wanted = [...fresh.children].map(part => {
      const old = was.get(part.id);
      const text = part.outerHTML;
      if (!old || seen.get(old) === text) {
        if (!old) seen.set(part, text);
        return old || part;
      }
      if (writing(old)) {
        seen.set(old, text);
        sayChanged(old);
        return old;
      }
      carryOver(old, part);
      seen.set(part, text);
      return part;
    });
    const same = wanted.length === region.children.length && wanted.every((part, i) => part === region.children[i]);
    if (same) return;
    // Somebody's half-written note stays even where its candidate is gone from here.
    const kept = [...was.values()].filter(part => !wanted.includes(part) && !byIdIn(fresh, part.id) && typedIn(part));
    const stays = [...wanted, ...kept];
    for (const part of [...region.children]) if (!stays.includes(part)) part.remove();
    // A part that holds the focus is not moved, since that would drop it: the others move around it.
    const held = stays.findIndex(part => part.contains(document.activeElement));
    stays.forEach((part, i) => {
      if (i === held) return;
      if (held >= 0 && i < held) region.insertBefore(part, stays[held]);
      else region.append(part);
    });
  }

  const byIdIn = (root, id) => id && root.querySelector(`#${CSS.escape(id)}`);

  function take(page) {
    const place = placeOf(document.activeElement);
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const region = fresh.id ? byId(fresh.id) : document.querySelector("[data-live]:not([id])");
      if (!region) continue;
      renew(region, fresh);
      const group = region.closest("section.group");
      const freshGroup = fresh.closest("section.group");
      if (group && freshGroup) group.hidden = freshGroup.hidden && !region.children.length;
    }
    backTo(place);
  }

  async function refresh() {
    if (document.hidden) return;
    const headers = tag ? { "If-None-Match": tag } : {};
    try {
      const answer = await fetch(location.pathname + location.search, { headers, cache: "no-store" });
      if (answer.redirected) {
        ended();
        return;
      }
      if (answer.status === 200) {
        tag = answer.headers.get("ETag");
        take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } else if (answer.status !== 304) throw new Error(String(answer.status));
      failed = 0;
    } catch {
      failed += 1;
    }
    if (failed > 2) say("stale");
    else if (!failed) say("fine");
  }

  function say(what) {
    const told = byId("fresh");
    if (!told.dataset.fine) told.dataset.fine = told.textContent;
    if (told.textContent !== told.dataset[what]) told.textContent = told.dataset[what];
  }

  // The session is over. Whoever is writing keeps what they wrote, and can sign in beside it.
  function ended() {
    if ([...document.querySelectorAll("main form")].some(typedIn)) say("ended");
    else location.reload();
  }

  if (document.querySelector("[data-live]")) {
    for (const part of document.querySelectorAll("[data-live] > *")) seen.set(part, part.outerHTML);
    // What was just done is told once, not again with each reload.
    const address = new URL(location.href);
    if (address.searchParams.has("did")) {
      address.searchParams.delete("did");
      history.replaceState(null, "", address);
    }
    byId("fresh").hidden = false;
    const need = location.pathname.match(/^\/desk\/needs\/([^/]+)$/);
    const url = `/desk/stream${need ? `?need=${need[1]}` : ""}`;
    const soon = freshness.follow({ url, event: "desk", every: EVERY, ask: refresh });
    setInterval(soon, SLOWLY);
  }

  // After a decision: back at the candidate it was about.
  const target = location.hash.startsWith("#c-") && byId(decodeURIComponent(location.hash.slice(1)));
  if (target) target.focus();

  // The keyboard. Single keys can be switched off (WCAG 2.1.4), and none of them decides anything.

  const dialog = byId("keys");
  const on = byId("keys-on");
  const OFF = "desk-keys-off";
  const remembered = { get: () => { try { return localStorage.getItem(OFF); } catch { return null; } },
    set: off => { try { off ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF); } catch { /* private window */ } } };
  if (dialog && on) {
    on.checked = !remembered.get();
    on.addEventListener("change", () => remembered.set(!on.checked));
    const opener = byId("keys-open");
    opener.hidden = false;
    opener.addEventListener("click", () => dialog.showModal());
  }

  const items = () => [...document.querySelectorAll("[data-item]")].filter(item => item.offsetParent !== null);
  const here = () => document.activeElement && document.activeElement.closest("[data-item]");

  function step(by) {
    const all = items();
    if (!all.length) return;
    const at = all.indexOf(here());
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function inside(selector, act) {
    const item = here();
    const found = item && item.querySelector(selector);
    if (!found) return;
    const folded = found.closest("details");
    if (folded && found.tagName !== "SUMMARY") folded.open = true;
    act(found);
  }

  const focus = at => at.focus();
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: () => inside("[data-open], h2 a", link => link.click()),
    e: () => inside("details.explain > summary", summary => summary.click()),
    c: () => inside(".pick input", box => box.click()),
    a: () => inside(".decide .buttons button", focus),
    d: () => inside(".decide select", focus),
    n: () => inside(".decide textarea", focus),
    u: () => { const back = document.querySelector("[data-back]"); if (back) back.click(); },
    "/": () => { const field = byId("q"); if (field) field.focus(); },
  };

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || (dialog && dialog.open)) return;
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select");
    if (event.key === "Escape" && typing) {
      const item = here();
      if (item) item.focus();
      return;
    }
    if (typing || !dialog) return;
    if (event.key === "?") { event.preventDefault(); dialog.showModal(); return; }
    if (!on.checked || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
