// A draft of a new need in this browser. What says who asks lives as long as the tab; the rest for a week.

const KEY = "need-draft";
const SENT = "need-sent";
const LIFETIME = 7 * 24 * 3600 * 1000;
const PERSONAL = ["company", "name", "email", "phone"];
const NEVER = ["idempotency_key", "shown", "website", "role_id", "skill", "other_skills"];

export function keepDraft(form, say, chips) {
  const kind = form.dataset.draft;
  if (!kind || "desk" in form.dataset || !storageWorks()) return;
  const role = form.elements.role_id.value;
  const notice = form.querySelector(".draft");
  form.querySelector(".draft-note").hidden = false;
  sessionStorage.removeItem(SENT); // it came back, with errors or by the back button
  let discarded = false;

  const personal = (name) => PERSONAL.includes(name);
  const fields = () => [...new FormData(form)].filter(
    ([name]) => !NEVER.includes(name) && !/^(level|must)_/.test(name),
  );

  function save() {
    if (discarded) return;
    const all = fields();
    localStorage.setItem(KEY, JSON.stringify({
      role, at: Date.now(), fields: all.filter(([name]) => !personal(name)), skills: chips.all(),
    }));
    sessionStorage.setItem(KEY, JSON.stringify(all.filter(([name]) => personal(name))));
  }

  function restore() {
    const draft = JSON.parse(localStorage.getItem(KEY) || "null");
    if (!draft || Date.now() - draft.at > LIFETIME) {
      forget();
      return;
    }
    if (draft.role !== role) return;
    const values = new Map();
    for (const [name, value] of [...draft.fields, ...JSON.parse(sessionStorage.getItem(KEY) || "[]")]) {
      values.set(name, [...(values.get(name) || []), value]);
    }
    for (const field of form.elements) {
      if (!field.name || NEVER.includes(field.name) || /^(level|must)_/.test(field.name)) continue;
      const [first] = values.get(field.name) || [];
      if (field.type === "checkbox") field.checked = (values.get(field.name) || []).includes(field.value);
      else if (first !== undefined) field.value = first;
    }
    chips.set(draft.skills);
    const locale = document.documentElement.lang === "en" ? "en-GB" : "fr-FR";
    const when = new Date(draft.at).toLocaleString(locale, { dateStyle: "long", timeStyle: "short" });
    notice.querySelector("[role=status]").textContent = say("draft_restored", { when });
    notice.hidden = false;
  }

  notice.querySelector("button").addEventListener("click", () => {
    discarded = true;
    forget();
    location.assign(location.href);
  });
  if (kind === "fresh") restore();
  let timer = null;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, 300);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    save();
    // The page of the need forgets the draft: only then is the need stored.
    sessionStorage.setItem(SENT, "yes");
  });
}

function forget() {
  localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
}

function storageWorks() {
  try {
    sessionStorage.setItem("try", "1");
    sessionStorage.removeItem("try");
    return Boolean(window.localStorage);
  } catch {
    return false; // refused by the browser's settings
  }
}
